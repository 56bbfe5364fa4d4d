"""Read the open text archives as documents, with a part of each set aside for evaluation.

One novel in ten and one textbook module in twenty are held out, and a training
novel that shares lines with a held-out one (another edition of it) is dropped.
"""

from __future__ import annotations

import io
import json
import lzma
import re
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from quantize.recipe import RecipeError

SQUAD = "squad_es_dev_without_xquad.json.xz"
OPENSTAX = "openstax_es_modules.jsonl.xz"
STORYBOOKS = "storybooks_es_pt.tar.xz"
NOVELS = {"es": "es_literature.tar.xz", "pt": "pt_literature.tar.xz"}
ARCHIVES = (SQUAD, OPENSTAX, STORYBOOKS, *NOVELS.values())
LONG_LINE = 80
SHARED_LINES = 0.02
"""A novel with more of its long lines in a held-out one is taken for the same novel."""


@dataclass(frozen=True, slots=True)
class Document:
    """One text, where it is from, and whether it is for evaluation only."""

    source: str
    lang: str
    held: bool
    text: str
    title: str = ""


def archives_in(folder: Path) -> list[Path]:
    """Return the archives of a corpora folder; raise RecipeError for the first that is absent."""
    paths = [folder / name for name in ARCHIVES]
    for path in paths:
        if not path.is_file():
            raise RecipeError("corpus-missing", path=path)
    return paths


def read_documents(folder: Path, chars: int) -> Iterator[Document]:
    """Yield every document, at most `chars` characters of each source."""
    yield from _limited(read_openstax(folder / OPENSTAX), chars)
    yield from read_stories(folder / STORYBOOKS)
    for lang, name in NOVELS.items():
        yield from read_novels(folder / name, lang, chars)


def read_openstax(path: Path) -> Iterator[Document]:
    """Yield textbook modules; those whose licence is not plain attribution are left out."""
    for number, line in enumerate(unpack(path).decode().splitlines()):
        module = json.loads(line)
        if module["license"].startswith("Attribution 4.0"):
            text = re.sub(r"[ \t]+", " ", module["text"]).strip()
            yield Document("openstax", "es", number % 20 == 0, text, module["title"])


def read_stories(path: Path) -> Iterator[Document]:
    """Yield children's stories, one paragraph a page, without their credits."""
    for name, content in _members(path, ".md"):
        body = content.split("* License")[0]
        title = body.splitlines()[0].lstrip("# ").strip()
        pages = [" ".join(page.split()) for page in re.split(r"\n##.*\n", f"\n{body}")[1:]]
        text = "\n".join(page for page in pages if page)
        yield Document("stories", "pt" if "/pt/" in name else "es", False, text, title)


def read_novels(path: Path, lang: str, chars: int) -> Iterator[Document]:
    """Yield an equal part of every novel, `chars` characters in all."""
    novels = [(name, _prose(content)) for name, content in _members(path, ".txt")]
    held = {name for number, (name, _) in enumerate(novels) if number % 10 == 0}
    known = {line for name, text in novels if name in held for line in _long_lines(text)}
    kept = [(name, text) for name, text in novels if name in held or not _is_copy(text, known)]
    each = max(1, chars // max(1, len(kept)))
    for name, text in kept:
        start = min(2000, len(text) // 4)  # title pages and prefaces
        yield Document(f"novels-{lang}", lang, name in held, text[start : start + each], Path(name).stem)


def read_questions(path: Path) -> Iterator[tuple[str, str, str, tuple[str, ...], int]]:
    """Yield (article, paragraph, question, answers, start); without answers it is unanswerable."""
    for paragraph in json.loads(unpack(path)):
        context = paragraph["context"]
        for asked in paragraph["qas"]:
            sound = [
                (a["answer_start"], a["text"])
                for a in asked["answers"]
                if a["text"].strip() and a["answer_start"] >= 0 and context[a["answer_start"] :].startswith(a["text"])
            ]
            if asked.get("is_impossible"):
                yield paragraph["title"], context, asked["question"].strip(), (), -1
            elif sound:
                texts = tuple(dict.fromkeys(text for _, text in sound))
                yield paragraph["title"], context, asked["question"].strip(), texts, sound[0][0]


def unpack(path: Path) -> bytes:
    """Return what an .xz file holds; raise RecipeError when it is broken."""
    try:
        return lzma.decompress(path.read_bytes())
    except (OSError, lzma.LZMAError) as error:
        raise RecipeError("corpus-broken", path=path, reason=str(error)) from error


def _members(path: Path, suffix: str) -> Iterator[tuple[str, str]]:
    with tarfile.open(fileobj=io.BytesIO(unpack(path))) as archive:
        for name in sorted(m.name for m in archive if m.isfile() and m.name.endswith(suffix)):
            file = archive.extractfile(name)
            if file is not None:
                yield name, file.read().decode(errors="replace")


def _prose(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _long_lines(text: str) -> Iterable[str]:
    return (line[:LONG_LINE] for line in text.splitlines() if len(line) >= LONG_LINE)


def _is_copy(text: str, known: set[str]) -> bool:
    lines = list(_long_lines(text))
    return sum(line in known for line in lines) > SHARED_LINES * len(lines)


def _limited(documents: Iterable[Document], chars: int) -> Iterator[Document]:
    left = chars
    for document in documents:
        if document.held or left > 0:
            yield document
        left -= 0 if document.held else len(document.text)
