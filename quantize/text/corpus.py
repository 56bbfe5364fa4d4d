"""Make the corpus folder of a release: three files of texts, and `mix.json` that vouches for them.

`calibration.jsonl` and `distil.jsonl` may be learned from, `held.jsonl` only measures:
a piece that shares a long sentence with a held one is left out, and `check` proves by
hashes that none remains.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from edge.files import write_atomic
from edge.tutor.engine import Message
from quantize.recipe import RecipeError
from quantize.text.pieces import Piece, cut, mark_of
from quantize.text.settings import TextSettings
from quantize.text.sources import read_chats, read_texts
from quantize.text.template import Template, has_template

PARTS = ("calibration", "distil", "held")
FIELDS = ("lang", "kind", "text", "source", "licence")


def build(
    settings: TextSettings, packs: Sequence[Path], corpora: Path | None, checkpoint: Path, seed: int, output: Path
) -> None:
    """Write the corpus folder `output` for the model in `checkpoint`."""
    shares = shares_of(settings.mix)
    template = Template(checkpoint) if has_template(checkpoint) else None
    pieces = list(_pieces(settings, packs, corpora, template, seed))
    held = [piece for piece in pieces if piece.held]
    marks = {mark for piece in held for mark in piece.marks()}
    free = [piece for piece in pieces if not piece.held and not piece.marks() & marks]
    left_out = len(pieces) - len(held) - len(free)
    chat = settings.chat if template else 0.0
    chosen = {"held": choose(held, shares, settings.held_chars, chat, Random(f"{seed} held"))}
    for part, chars in (("calibration", settings.calibration_chars), ("distil", settings.distil_chars)):
        chosen[part] = choose(free, shares, chars, chat, Random(f"{seed} {part}"))
        taken = set(map(id, chosen[part]))
        free = [piece for piece in free if id(piece) not in taken]
    for part in ("calibration", "held"):
        if not chosen[part]:
            raise RecipeError("corpus-empty", part=part, mix=", ".join(settings.mix))
    for part in PARTS:
        rows = ({name: getattr(piece, name) for name in FIELDS} for piece in chosen[part])
        lines = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
        write_atomic(output / f"{part}.jsonl", lines.encode())
    facts = {
        "seed": seed,
        "chat_template": template is not None,
        "left_out": left_out,
        "parts": {part: _summary(chosen[part]) for part in PARTS},
        "held_sha256": sorted({mark_of(piece.text) for piece in chosen["held"]}),
    }
    write_atomic(output / "mix.json", f"{json.dumps(facts, indent=2, sort_keys=True)}\n".encode())
    check(output)


def check(folder: Path) -> None:
    """Raise RecipeError when a text of `held.jsonl` occurs in what may be learned from."""
    held = {mark_of(row["text"]): row for row in read_part(folder, "held")}
    named = set(json.loads((folder / "mix.json").read_bytes())["held_sha256"])
    if set(held) != named:
        raise RecipeError("corpus-held-changed", path=folder / "held.jsonl")
    for part in ("calibration", "distil"):
        for number, row in enumerate(read_part(folder, part), start=1):
            if mark_of(row["text"]) in held:
                raise RecipeError("corpus-leak", path=folder / f"{part}.jsonl", line=number, text=row["text"][:60])


def read_part(folder: Path, part: str) -> Iterator[dict[str, str]]:
    """Yield the rows of `calibration`, `distil` or `held`."""
    with (folder / f"{part}.jsonl").open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def shares_of(mix: Sequence[str]) -> dict[str, float]:
    """Read "es 0.55" lines; raise RecipeError for one that is none."""
    shares: dict[str, float] = {}
    for line in mix:
        lang, _, share = line.partition(" ")
        try:
            shares[lang] = float(share)
        except ValueError as error:
            raise RecipeError("corpus-mix", line=line) from error
        if shares[lang] < 0 or not lang:
            raise RecipeError("corpus-mix", line=line)
    return shares


def choose(
    pieces: Sequence[Piece], shares: Mapping[str, float], chars: int, chat: float, random: Random
) -> list[Piece]:
    """Draw about `chars` characters, in the shares of the languages; what a language lacks the others give."""
    groups: dict[tuple[str, str], list[Piece]] = defaultdict(list)
    for piece in sorted(pieces, key=lambda p: (p.lang, p.kind, p.source, p.text)):
        groups[piece.lang, piece.kind].append(piece)
    there = {lang: share for lang, share in shares.items() if share and any(key[0] == lang for key in groups)}
    total = sum(there.values())
    chosen: list[Piece] = []
    for lang, share in there.items():
        room = chars * share / total
        for kind in ("chat", "text"):
            group = groups.get((lang, kind), [])
            random.shuffle(group)
            part = room * chat if kind == "chat" and (lang, "text") in groups else room
            took = list(_until(group, part))
            chosen += took
            room -= sum(len(piece.text) for piece in took)
    random.shuffle(chosen)
    return chosen


def _until(pieces: Iterable[Piece], chars: float) -> Iterator[Piece]:
    """Yield pieces while there is room for the half of the next one."""
    for piece in pieces:
        if chars < len(piece.text) / 2:
            return
        yield piece
        chars -= len(piece.text)


def _pieces(
    settings: TextSettings, packs: Sequence[Path], corpora: Path | None, template: Template | None, seed: int
) -> Iterator[Piece]:
    wanted = shares_of(settings.mix)
    seen: set[str] = set()
    for document, licence in read_texts(packs, corpora, settings.source_chars):
        if document.lang not in wanted:
            continue
        for text in cut(document.text, settings.piece_chars):
            piece = Piece(document.lang, "text", text, document.source, licence, document.held)
            if (mark := mark_of(text)) not in seen:
                seen.add(mark)
                yield piece
    for example, licence in read_chats(packs, seed) if template else ():
        if template is None or example.lang not in wanted:
            continue
        messages: list[Message] = [*example.messages(), {"role": "assistant", "content": example.answer}]
        text = template.render(messages, ask=False)
        if (mark := mark_of(text)) not in seen:
            seen.add(mark)
            own = f"{example.user}\n{example.answer}"
            yield Piece(example.lang, "chat", text, f"packs-{example.kind}", licence, example.held, own)


def _summary(pieces: Sequence[Piece]) -> dict[str, Any]:
    langs = sorted({piece.lang for piece in pieces})
    licences: dict[str, str] = {piece.source: piece.licence for piece in pieces}
    return {
        "pieces": len(pieces),
        "bytes": sum(len(piece.text.encode()) for piece in pieces),
        "languages": {lang: sum(len(p.text.encode()) for p in pieces if p.lang == lang) for lang in langs},
        "kinds": dict(sorted(Counter(piece.kind for piece in pieces).items())),
        "licences": dict(sorted(licences.items())),
    }
