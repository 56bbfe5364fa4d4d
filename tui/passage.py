"""Find what an answer rests on in the text of its lesson.

Pure. A quoted passage was taken from the text without Markdown marks, so both are compared
by their words. An answer of the answer bank stands nowhere in the text: then the paragraph
that shares most of its words is shown, and it is called near, not exact.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

NEAR_SHARE = 0.4
"""A paragraph must hold this share of the answer's longer words to be called near."""

_MARKS = re.compile(r"[*_`]")


@dataclass(frozen=True, slots=True)
class Parts:
    """A lesson's text before, at and after what was looked for. `cited` is empty when nothing fits."""

    before: str
    cited: str
    after: str
    exact: bool = False


def split_at(text: str, quote: str) -> Parts:
    """Split Markdown around the paragraph that holds `quote`, or the one nearest to it."""
    blocks = re.split(r"\n\s*\n", text.strip())
    wanted = _plain(quote)
    if not wanted:
        return Parts("\n\n".join(blocks), "", "")
    for number, block in enumerate(blocks):
        if wanted in _plain(block):
            shown = block if _plain(block) == wanted else _bold(block, quote)
            return _parts(blocks, number, shown, exact=True)
    shares = [0.0 if block.startswith("#") else _share(wanted, _plain(block)) for block in blocks]
    best = max(range(len(blocks)), key=shares.__getitem__)
    if shares[best] >= NEAR_SHARE:
        return _parts(blocks, best, blocks[best], exact=False)
    return Parts("\n\n".join(blocks), "", "")


def _parts(blocks: list[str], number: int, shown: str, *, exact: bool) -> Parts:
    return Parts("\n\n".join(blocks[:number]), shown, "\n\n".join(blocks[number + 1 :]), exact)


def _share(wanted: str, text: str) -> float:
    words = {word for word in re.findall(r"\w+", wanted) if len(word) > 3}
    return len(words & set(re.findall(r"\w+", text))) / len(words) if words else 0.0


def _bold(block: str, quote: str) -> str:
    """Put the quote in bold where the paragraph has no marks that this would upset."""
    clean = _MARKS.sub("", block)
    found = re.search(r"\s+".join(map(re.escape, quote.split())), clean)
    if found is None or block.lstrip().startswith(("-", "1.")):
        return block
    return f"{clean[: found.start()]}**{found[0]}**{clean[found.end() :]}"


def _plain(text: str) -> str:
    return " ".join(_MARKS.sub("", text).split()).casefold()
