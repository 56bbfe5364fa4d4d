"""Every text a release may use, with its language, its source and its licence.

The archives are read as the language model's own training reads them, so that what is
held out there is held out here. Nothing of `eval/` is ever opened.
"""

from __future__ import annotations

import io
import tarfile
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from quantize.lm.lessons import lesson_examples, lesson_text, read_lessons
from quantize.lm.prompts import Example
from quantize.lm.sources import Document, archives_in, read_documents, unpack

INDIGENOUS = "indigenous_and_ud.tar.xz"
FLORES_LANGS = {"quy": "quy", "ayr": "ayr", "grn": "grn", "spa": "es"}
FLORES_MEMBER = "./flores200/flores200{part}.{lang}"
JOJAJOVAI = "./jojajovai/jojajovai.gn"
LICENCES = {
    "openstax": "CC-BY-4.0",
    "stories": "CC-BY-4.0",
    "novels-es": "public domain, markup CC-BY-4.0",
    "novels-pt": "public domain, markup CC-BY-4.0",
    "flores": "CC-BY-SA-4.0",
    "jojajovai": "MIT",
}
HELD_LESSON_EVERY = HELD_LINES_EVERY = 20
LINES_TOGETHER = 8
"""Single sentences are read so many at a time."""


def archives(corpora: Path | None) -> list[Path]:
    """Return the archives a corpus is made from; none without a corpora folder."""
    if corpora is None:
        return []
    found = archives_in(corpora)
    more = corpora / INDIGENOUS
    return [*found, more] if more.is_file() else found


def read_texts(packs: Sequence[Path], corpora: Path | None, chars: int) -> Iterator[tuple[Document, str]]:
    """Yield every document with its licence; `held` ones are only for measuring."""
    for pack in packs:
        licence = pack_licence(pack)
        lessons = read_lessons([pack])
        for number, lesson in enumerate(lessons):
            told = lesson_text(lesson)
            held = number % HELD_LESSON_EVERY == min(len(lessons), HELD_LESSON_EVERY) // 2
            yield Document("lessons", told.lang, held, told.text, told.title), licence
    if corpora is None:
        return
    for document in read_documents(corpora, chars):
        yield document, LICENCES[document.source]
    if (corpora / INDIGENOUS).is_file():
        for document in read_indigenous(corpora / INDIGENOUS):
            yield document, LICENCES[document.source]


def read_chats(packs: Sequence[Path], seed: int) -> Iterator[tuple[Example, str]]:
    """Yield the exchanges that the packs give, with their licence; held ones share no sentence with a lesson."""
    for pack in packs:
        licence = pack_licence(pack)
        for example in lesson_examples(read_lessons([pack]), Random(seed)):
            if not (example.held and example.passage):
                yield example, licence


def read_indigenous(path: Path) -> Iterator[Document]:
    """Yield FLORES dev, its devtest as held out, and Guarani sentences of which one block in twenty is held out."""
    with tarfile.open(fileobj=io.BytesIO(unpack(path))) as archive:
        for code, lang in FLORES_LANGS.items():
            for part, held in (("dev", False), ("devtest", True)):
                for block in _blocks(archive, FLORES_MEMBER.format(part=part, lang=code)):
                    yield Document("flores", lang, held, block)
        for number, block in enumerate(_blocks(archive, JOJAJOVAI)):
            yield Document("jojajovai", "grn", number % HELD_LINES_EVERY == 0, block)


def pack_licence(pack: Path) -> str:
    """Return the licence that a content pack states."""
    return str(tomllib.loads((pack / "pack.toml").read_text(encoding="utf-8"))["licence"])


def _blocks(archive: tarfile.TarFile, name: str) -> Iterator[str]:
    file = archive.extractfile(name)
    lines = file.read().decode("utf-8", "replace").splitlines() if file else []
    kept = [" ".join(line.split()) for line in lines if line.strip()]
    for at in range(0, len(kept), LINES_TOGETHER):
        yield "\n".join(kept[at : at + LINES_TOGETHER])
