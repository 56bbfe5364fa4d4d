"""What of the catalogue goes into the depot, and what of it is not there yet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from devkit.depot.bring import Missing
from devkit.depot.store import Depot, Entry, KeptFile, Kind
from devkit.errors import KitError
from devkit.site.names import ascii_name
from edge.release.manifest import Artifact, Release, embedded_release, parse
from edge.release.pull import Piece, plan_pull

KIND_OF: dict[str, Kind] = {"voice": "voice", "lm": "lm", "lm-onnx": "lm-onnx"}


@dataclass(frozen=True, slots=True)
class Order:
    """One artifact of the catalogue, with the files it is made of."""

    kind: Kind
    artifact: Artifact
    pieces: tuple[Piece, ...]

    def entry(self, depot: Depot) -> Entry:
        """Return its entry, once all its files are here."""
        files = [
            KeptFile(_place(self.kind, p), depot.path(p.wanted.sha256).stat().st_size, p.wanted.sha256)
            for p in self.pieces
        ]
        return Entry(self.kind, self.artifact.id, "", "", tuple(files))


def read_catalogue(path: Path | None) -> Release:
    """Return the catalogue in a file, or the one that came with this kit; raise EdgeError when it is wrong."""
    if path is None:
        return embedded_release()
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise KitError("depot-unreadable", path=path, reason=error.strerror or str(error)) from error


def order(release: Release, name: str, mirror: str | None, depot: Depot) -> Order:
    """Decide what `name` is made of; raise ModelError when the catalogue does not say enough."""
    found = release.find(name)
    kind: Kind = KIND_OF.get(found.kind, "lm") if found is not None else "lm"
    pull = plan_pull(release, "voice" if kind == "voice" else "lm", name, mirror, depot.incoming)
    return Order(kind, pull.artifact, pull.pieces)


def missing(orders: Iterable[Order], depot: Depot) -> list[Missing]:
    """Return every file that is not here, once, whoever needs it."""
    found = {
        piece.wanted.sha256: Missing(
            piece.wanted.name, piece.wanted.sha256, piece.wanted.size, tuple(piece.sources)
        )
        for wanted in orders
        for piece in wanted.pieces
        if not depot.has(piece.wanted.sha256, piece.wanted.size)
    }  # fmt: skip
    return list(found.values())


def _place(kind: Kind, piece: Piece) -> str:
    """Return where a file of a model or a voice goes on a stick."""
    return f"{'voices' if kind == 'voice' else 'models'}/{ascii_name(piece.wanted.name)}"
