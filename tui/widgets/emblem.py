"""The mark of Amauta: a chakana, the stepped cross of the Andes."""

from __future__ import annotations

from textual.widgets import Static

_CHAKANA = """\
    ████
  ████████
████    ████
  ████████
    ████"""
"""Full blocks only: every console font has them."""


class Emblem(Static):
    """The chakana, where the screen is tall enough for it."""

    DEFAULT_CSS = "Emblem { width: 12; height: 5; color: $primary; }"

    def __init__(self) -> None:
        super().__init__(_CHAKANA, markup=False)
