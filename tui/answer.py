"""What to say about an answer: how it was found, and which lessons stand behind it.

Pure, and the same for the screen and the line mode.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.tutor.reply import Reply, Source

_TALK = "talk"
"""What `Reply.model` says where nothing was asked: nobody is told to try other words."""

_RECKONED = "arithmetic"
"""What `Reply.model` says of a sum: its lesson explains it, but the answer does not stand there."""


def kind_of(reply: Reply) -> str:
    """Return what to call the way the answer was found: `ask.mode.KIND`."""
    if reply.model == _TALK:
        return _TALK
    return "sum" if reply.model == _RECKONED else reply.mode


def source_key(reply: Reply) -> str:
    """Return the key of the line that names a lesson behind the answer."""
    return "ask.related" if reply.model == _RECKONED else "ask.source"


def sources_of(reply: Reply) -> list[Source]:
    """Return the first source of each lesson behind the answer; a sum points at no passage."""
    firsts: dict[str, Source] = {}
    for source in reply.sources:
        if source.lesson:
            found = replace(source, passage="") if reply.model == _RECKONED else source
            firsts.setdefault(source.lesson, found)
    return list(firsts.values())


def as_markdown(reply: Reply) -> str:
    """Set the passage apart from the sentence that answers, which comes before it."""
    passage = reply.sources[0].passage if reply.sources else ""
    if reply.mode == "passage" and passage and reply.text.endswith(passage) and reply.text != passage:
        answer = reply.text.removesuffix(passage).strip()
        quoted = "\n".join(f"> {line}" for line in passage.splitlines())
        return f"{answer}\n\n{quoted}"
    return reply.text
