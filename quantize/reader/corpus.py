"""Read the corpora into passages and questions, split so that tests are never trained on.

Articles are split as a whole. The packs are read by `lessons`.
"""

from __future__ import annotations

import io
import json
import lzma
import re
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from edge.files import write_atomic
from quantize.recipe import RecipeError

Split = Literal["train", "dev", "test"]
SQUAD = "squad_es_dev_without_xquad.json.xz"
OPENSTAX = "openstax_es_modules.jsonl.xz"
STORYBOOKS = "storybooks_es_pt.tar.xz"
NOVELS_ES = "es_literature.tar.xz"
NOVELS_PT = "pt_literature.tar.xz"
ARCHIVES = (SQUAD, OPENSTAX, STORYBOOKS, NOVELS_ES, NOVELS_PT)


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph and where it is from."""

    source: str
    group: str
    """The article, module, story or lesson it is part of."""

    split: Split
    lang: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one passage; `start` is -1 when that passage does not answer it."""

    source: str
    split: Split
    text: str
    passage: int
    start: int
    end: int
    answers: tuple[str, ...]
    """What people gave as answers, for scoring; may be empty."""

    short: bool
    """Whether start..end is a short answer; otherwise it is a whole sentence."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """All passages, and the questions about them by number."""

    passages: tuple[Passage, ...]
    questions: tuple[Question, ...]


def save_corpus(corpus: Corpus, path: Path) -> None:
    """Keep the corpus as one JSON file."""
    write_atomic(path, json.dumps(asdict(corpus), ensure_ascii=False).encode())


def load_corpus(path: Path) -> Corpus:
    """Read what `save_corpus` kept."""
    found: dict[str, list[dict[str, Any]]] = json.loads(path.read_bytes())
    questions = [Question(**{**row, "answers": tuple(row["answers"])}) for row in found["questions"]]
    return Corpus(tuple(Passage(**row) for row in found["passages"]), tuple(questions))


def require_archives(folder: Path) -> list[Path]:
    """Return the archives; raise RecipeError for the first that is absent."""
    paths = [folder / name for name in ARCHIVES]
    for path in paths:
        if not path.is_file():
            raise RecipeError("corpus-missing", path=path)
    return paths


def read_squad(path: Path, dev: Sequence[str], test: Sequence[str]) -> Corpus:
    """Read Spanish SQuAD; articles named in `dev` and `test` are held out as a whole."""
    passages: list[Passage] = []
    questions: list[Question] = []
    split: Split
    for paragraph in json.loads(_open(path)):
        title = paragraph["title"]
        split = "test" if title in test else "dev" if title in dev else "train"
        passages.append(Passage("squad", title, split, "es", paragraph["context"]))
        for asked in paragraph["qas"]:
            question = _squad_question(asked, split, len(passages) - 1, paragraph["context"])
            if question:
                questions.append(question)
    return Corpus(tuple(passages), tuple(questions))


def _squad_question(asked: dict[str, Any], split: Split, passage: int, context: str) -> Question | None:
    text = asked["question"].strip()
    if asked.get("is_impossible"):
        return Question("squad", split, text, passage, -1, -1, (), True)
    sound = [
        (a["text"], a["answer_start"])
        for a in asked["answers"]
        if a["text"].strip() and context[a["answer_start"] :].startswith(a["text"]) and a["answer_start"] >= 0
    ]
    if not sound:
        return None
    shortest = min(sound, key=lambda a: len(a[0]))
    answers = tuple(dict.fromkeys(a[0] for a in sound))
    return Question("squad", split, text, passage, shortest[1], shortest[1] + len(shortest[0]), answers, True)


PARAGRAPH = re.compile(r"\n\s*\n")


def read_openstax(path: Path) -> Iterator[Passage]:
    """Yield textbook paragraphs; one module in twenty is left out for other evaluations."""
    for number, line in enumerate(_open(path).decode().splitlines()):
        if number % 20 == 0:
            continue
        module = json.loads(line)
        for text in PARAGRAPH.split(module["text"]):
            clean = " ".join(text.split())
            if 120 <= len(clean) <= 1200 and clean.count("=") < 2 and "()" not in clean:
                yield Passage("openstax", module["module"], "train", "es", clean)


def read_stories(path: Path) -> Iterator[Passage]:
    """Yield the pages of children's stories, Spanish and Portuguese."""
    with _tar(path) as archive:
        for member in archive:
            file = archive.extractfile(member)
            if not member.name.endswith(".md") or file is None:
                continue
            lang = "pt" if "/pt" in member.name else "es"
            text = file.read().decode().split("* License")[0]
            for page in re.split(r"\n#+.*\n", text):
                clean = " ".join(page.split())
                if len(clean) >= 80 and not clean.startswith("#"):
                    yield Passage("stories", member.name, "train", lang, clean)


def read_novels(path: Path, lang: str, limit: int) -> Iterator[Passage]:
    """Yield up to `limit` paragraphs, spread over the novels; one novel in ten is left out."""
    found: list[Passage] = []
    with _tar(path) as archive:
        for number, member in enumerate(sorted(m.name for m in archive if m.name.endswith(".txt"))):
            file = archive.extractfile(member)
            if number % 10 == 0 or file is None:
                continue
            for text in re.split(r"\n+", file.read().decode(errors="replace")):
                clean = " ".join(text.split())
                if 150 <= len(clean) <= 900:
                    found.append(Passage("novels", member, "train", lang, clean))
    step = max(1, len(found) // limit) if limit else len(found) + 1
    yield from found[::step][:limit]


def _open(path: Path) -> bytes:
    try:
        return lzma.decompress(path.read_bytes())
    except (OSError, lzma.LZMAError) as error:
        raise RecipeError("corpus-broken", path=path, reason=str(error)) from error


def _tar(path: Path) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(_open(path)))
