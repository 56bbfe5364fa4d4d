"""The table of a district: one line a stick, one a computer, as spreadsheets in the region open it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from devkit.fleet.collect import DeviceRow, Fleet, StickRow
from edge.learning.roster import table
from edge.words import Words

Cell = str | int | float

STICK_COLUMNS: dict[str, Callable[[StickRow], Cell]] = {
    "site": lambda r: r.text("site"),
    "stick": lambda r: r.text("stick"),
    "kind": lambda r: r.text("kind"),
    "serial": lambda r: r.text("serial", "disk"),
    "model": lambda r: r.text("model", "disk"),
    "size": lambda r: r.text("size", "disk"),
    "volume": lambda r: r.text("volume"),
    "filesystem": lambda r: r.text("filesystem"),
    "written": lambda r: int(r.number("bytes_written")),
    "verified": lambda r: int(r.number("bytes_verified")),
    "seconds": lambda r: round(r.number("write_s") + r.number("check_s"), 1),
    "began": lambda r: r.text("started_at"),
    "ended": lambda r: r.text("ended_at"),
    "result": lambda r: r.text("result"),
    "content": lambda r: r.text("blocks"),
    "source": lambda r: r.text("sha256", "source"),
    "version": lambda r: r.text("amauta-kit", "versions"),
    "models": lambda r: r.names("models", ".gguf"),
    "voices": lambda r: r.names("voices", ".onnx"),
    "packs": lambda r: r.names("packs"),
    "apps": lambda r: r.names("app"),
}
DEVICE_COLUMNS: dict[str, Callable[[DeviceRow], Cell]] = {
    "code": lambda r: r.code,
    "version": lambda r: ".".join(map(str, r.diagnosis.version)),
    "system": lambda r: r.diagnosis.system,
    "cpu": lambda r: r.cpu,
    "cores": lambda r: r.diagnosis.cores,
    "ram": lambda r: r.ram_mb,
    "disk": lambda r: r.diagnosis.disk_mb,
    "failed": lambda r: ", ".join(r.diagnosis.failed),
}
COLUMNS = tuple(dict.fromkeys((*STICK_COLUMNS, *DEVICE_COLUMNS)))


@dataclass(frozen=True, slots=True)
class Sums:
    """What a district adds up to."""

    sites: int
    sticks: int
    devices: int
    written_bytes: int
    minutes: float
    devices_failing: int


def sheet(fleet: Fleet, words: Words) -> bytes:
    """Return the whole table."""
    headings = [
        words.say("fleet.what"),
        *(words.say(f"fleet.column-{name}") for name in COLUMNS),
        words.say("fleet.file"),
    ]
    rows: list[list[Cell]] = []
    for stick in fleet.sticks:
        cells = [STICK_COLUMNS[name](stick) if name in STICK_COLUMNS else "" for name in COLUMNS]
        rows.append([words.say("fleet.stick"), *cells, stick.file.name])
    for device in fleet.devices:
        cells = [DEVICE_COLUMNS[name](device) if name in DEVICE_COLUMNS else "" for name in COLUMNS]
        rows.append([words.say("fleet.device"), *cells, device.file.name])
    return table(headings, rows)


def sums(fleet: Fleet) -> Sums:
    """Add up."""
    seconds = sum(row.number("write_s") + row.number("check_s") for row in fleet.sticks)
    return Sums(
        sites=len({row.text("site") for row in fleet.sticks}),
        sticks=len(fleet.sticks),
        devices=len(fleet.devices),
        written_bytes=sum(int(row.number("bytes_written")) for row in fleet.sticks),
        minutes=seconds / 60,
        devices_failing=sum(bool(row.diagnosis.failed) for row in fleet.devices),
    )
