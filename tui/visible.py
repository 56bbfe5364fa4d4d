"""Leave out of a text everything that would control the terminal.

Pure. Questions, names and packs are written by others; an escape code hidden in one could
rewrite the screen or worse.
"""

from __future__ import annotations

import re

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def visible(text: str) -> str:
    """Return `text` without control characters, which also take no room on a line."""
    return _CONTROL.sub("", text)
