"""A PDF page to draw on, in millimetres: text in the fonts every printer has, lines, and QR codes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from devkit.errors import KitError
from devkit.paper.facts import printable

FONT = "Helvetica"
QUIET_MODULES = 4
"""White around a QR code; readers need it."""


class Ink:
    """Draws on one document. Needs fpdf2, which comes with the technician's kit."""

    def __init__(self, paper: str) -> None:
        try:
            from fpdf import FPDF
        except ImportError as error:
            raise KitError("paper-no-fpdf") from error
        self.pdf: Any = FPDF(unit="mm", format=paper)
        self.pdf.set_auto_page_break(False)
        self.pdf.set_margin(0)
        self.pdf.c_margin = 0

    def page(self) -> None:
        """Begin a page."""
        self.pdf.add_page()

    def text(self, x: float, y: float, words: str, size: float, *, bold: bool = False, width: float = 0) -> float:
        """Write one line with its top at `y`, smaller or cut where it would pass `width`; return its height."""
        said = printable(words)
        self.pdf.set_font(FONT, "B" if bold else "", size)
        while width and size > 6 and self.pdf.get_string_width(said) > width:
            size -= 0.5
            self.pdf.set_font_size(size)
        while width and len(said) > 4 and self.pdf.get_string_width(said) > width:
            said = f"{said[:-4]}..."
        height = size * 0.3528
        self.pdf.text(x, y + height * 0.8, said)
        return height * 1.25

    def paragraph(self, x: float, y: float, words: str, size: float, width: float) -> float:
        """Write lines that fill `width`; return their height."""
        self.pdf.set_font(FONT, "", size)
        self.pdf.set_xy(x, y)
        self.pdf.multi_cell(width, size * 0.45, printable(words), align="L", new_x="LMARGIN", new_y="NEXT")
        return float(self.pdf.get_y()) - y

    def line(self, x: float, y: float, width: float, *, thick: float = 0.2) -> None:
        """Draw a line, to write on or to part things."""
        self.pdf.set_line_width(thick)
        self.pdf.line(x, y, x + width, y)

    def box(self, x: float, y: float, width: float, height: float, *, thick: float = 0.2) -> None:
        """Draw a frame."""
        self.pdf.set_line_width(thick)
        self.pdf.rect(x, y, width, height)

    def qr(self, x: float, y: float, side: float, content: str) -> None:
        """Draw a QR code, with its white border, as vectors."""
        import segno

        rows = [list(row) for row in segno.make_qr(content, error="m").matrix]
        module = side / (len(rows) + 2 * QUIET_MODULES)
        self.pdf.set_fill_color(0)
        for down, row in enumerate(rows):
            for start, length in _runs(row):
                left, top = x + module * (QUIET_MODULES + start), y + module * (QUIET_MODULES + down)
                # A hair more, so that no white shows between rows on screens.
                self.pdf.rect(left, top, module * length, module * 1.02, style="F")

    def save(self, path: Path) -> None:
        """Write the document, whole or not at all; raise KitError when the disk refuses."""
        from edge.files import write_atomic

        try:
            write_atomic(path, bytes(self.pdf.output()))
        except OSError as error:
            raise KitError("paper-disk", file=path, reason=error.strerror or str(error)) from error


def _runs(row: list[int]) -> list[tuple[int, int]]:
    """Return where the dark stretches of a row begin, and how long they are."""
    found: list[tuple[int, int]] = []
    for at, dark in enumerate(row):
        if not dark:
            continue
        if found and sum(found[-1]) == at:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((at, 1))
    return found
