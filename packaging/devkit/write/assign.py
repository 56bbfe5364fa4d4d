"""Which stick of the plan goes on which disk.

Pure. What was cut goes on where it was; then the sticks that have no receipt yet, in the plan's order.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from devkit.disks.disk import Disk
from devkit.errors import KitError
from devkit.stick import Stick
from devkit.write.journal import Note


def assign(
    sticks: Sequence[Stick], disks: Sequence[Disk], names: Sequence[str], done: Collection[str], cut: Sequence[Note]
) -> list[tuple[Stick, Disk]]:
    """Pair each disk with a stick; raise KitError when the plan has not that many left.

    `names` are sticks the technician asked for, one a disk; `done` those with a receipt.
    """
    by_name = {stick.name: stick for stick in sticks}
    if names:
        return [(_find(by_name, name), disk) for name, disk in _pairs(names, disks)]
    before = {(note.serial, note.disk_size): note.stick for note in cut if note.serial}
    resumed = {disk.path: name for disk in disks if (name := before.get((disk.serial, disk.size))) in by_name}
    open_names = [name for name in by_name if name not in done and name not in resumed.values()]
    fresh = [disk for disk in disks if disk.path not in resumed]
    if len(fresh) > len(open_names):
        left = ", ".join(open_names) or "-"
        raise KitError("write-too-many", disks=len(fresh), left=left, done=", ".join(sorted(done)) or "-")
    chosen = {**resumed, **{disk.path: name for disk, name in zip(fresh, open_names, strict=False)}}
    return [(by_name[chosen[disk.path]], disk) for disk in disks]


def _pairs(names: Sequence[str], disks: Sequence[Disk]) -> list[tuple[str, Disk]]:
    if len(names) != len(disks):
        raise KitError("write-names", names=len(names), disks=len(disks))
    return list(zip(names, disks, strict=True))


def _find(by_name: dict[str, Stick], name: str) -> Stick:
    if name not in by_name:
        raise KitError("write-no-stick", name=name[:60], names=", ".join(list(by_name)[:12]))
    return by_name[name]
