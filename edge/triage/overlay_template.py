"""An overlay with nothing in it yet, for whoever writes one: every original as a comment over the line for its words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

HEAD = """\
# Words in another language for Amauta's clinic: docs/clinic-overlays.md
# What stays empty is shown in the language it was written in. Numbers and units must be those of the original.
format = 1
id = ""                # small letters, digits and hyphens
version = ""           # a date and a number, changed with every change
lang = ""              # the code of the language: two or three letters
name = ""              # what the language calls itself
author = ""
licence = ""
reviewed_by = ""       # who read it and found it right; empty: nobody yet, and the screens say so
from = "{origin}"

"""


def template(parts: Iterable[tuple[str, str, Mapping[str, str]]], origin: str) -> str:
    """Return an empty overlay for some tables and teaching texts, each as (name, version, its texts)."""
    lines = [HEAD.format(origin=origin)]
    for name, version, texts in parts:
        pack, _, lesson = name.partition("/")
        lines.append(f"[teaching.{pack}.{lesson}]\n" if lesson else f"[tables.{pack}]\n")
        lines.append(f'version = "{version}"\n')
        for path, text in texts.items():
            comment = "\n# ".join(text.splitlines())
            lines.append(f'# {comment}\n{path} = ""\n')
        lines.append("\n")
    return "".join(lines)
