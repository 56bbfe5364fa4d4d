"""A computer that is only emulated: start it, type, photograph its screen, cut its power.

QEMU without hardware help, so minutes instead of seconds; spoken to over QMP, its own protocol.
"""

from __future__ import annotations

import json
import shutil
import signal
import socket
import struct
import subprocess
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

OVMF = Path("/usr/share/OVMF")
OLD_PROCESSOR = "Nehalem"
"""Of 2008: SSE4.2, no AVX."""

NAMES = {
    " ": "spc", "\n": "ret", "\t": "tab", "-": "minus", ".": "dot", ",": "comma", "/": "slash", "'": "apostrophe",
}  # fmt: skip


def missing() -> str:
    """Return what is not installed here, or nothing."""
    return "" if shutil.which("qemu-system-x86_64") else "qemu-system-x86"


class Machine:
    """One emulated computer with one stick; its power is on from `start` to `cut`."""

    def __init__(
        self,
        stick: Path,
        folder: Path,
        *,
        firmware: str = "bios",
        secure: bool = False,
        memory_mb: int = 1536,
        protected: bool = False,
        more: Sequence[str] = (),
    ) -> None:
        self._folder, self.serial = folder, folder / "serial.log"
        folder.mkdir(parents=True, exist_ok=True)
        self.serial.unlink(missing_ok=True)
        machine = "q35,smm=on" if secure else "q35"
        self._command = ["qemu-system-x86_64", "-machine", machine, "-accel", "tcg,thread=multi", "-cpu", OLD_PROCESSOR]
        self._command += [
            "-smp",
            "2",
            "-m",
            str(memory_mb),
            "-display",
            "none",
            "-vga",
            "std",
            "-nic",
            "user,model=e1000",
        ]
        self._command += [
            "-drive",
            f"if=none,id=stick,format=raw,cache=writethrough,readonly={'on' if protected else 'off'},file={stick}",
            "-device",
            "qemu-xhci",
        ]
        self._command += ["-device", "usb-storage,drive=stick,removable=on,bootindex=0"]
        self._command += [
            "-serial",
            f"file:{self.serial}",
            "-smbios",
            "type=11,value=io.systemd.credential:amauta.report=1",
        ]
        self._command += ["-qmp", f"unix:{folder / 'qmp'},server=on,wait=off", *more]
        if firmware == "uefi":
            code, variables = (
                ("OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.ms.fd") if secure else ("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd")
            )
            shutil.copyfile(OVMF / variables, folder / "vars.fd")
            self._command += ["-drive", f"if=pflash,format=raw,readonly=on,file={OVMF / code}"]
            self._command += ["-drive", f"if=pflash,format=raw,file={folder / 'vars.fd'}"]
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self.started = 0.0

    def start(self) -> None:
        """Press the power button."""
        (self._folder / "qmp").unlink(missing_ok=True)
        with (self._folder / "qemu.log").open("wb") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        self.started = time.monotonic()
        self._socket = socket.socket(socket.AF_UNIX)
        for _ in range(200):
            try:
                self._socket.connect(str(self._folder / "qmp"))
                break
            except OSError:
                if self._process.poll() is not None:
                    raise RuntimeError((self._folder / "qemu.log").read_text()) from None
                time.sleep(0.1)
        self._reader = self._socket.makefile("rb")
        self._reader.readline()
        self.ask("qmp_capabilities")

    def ask(self, command: str, **arguments: Any) -> Any:
        """Send one command of QMP and return its answer."""
        assert self._socket is not None
        self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        while True:
            answer = json.loads(self._reader.readline())
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise RuntimeError(answer["error"]["desc"])

    def type(self, text: str, pause: float = 0.25) -> None:
        """Press the keys of a text, one after the other."""
        for letter in text:
            self.press(NAMES.get(letter.lower(), letter.lower()), shift=letter.isupper())
            time.sleep(pause)

    def press(self, *keys: str, shift: bool = False) -> None:
        """Press keys together."""
        pressed = (["shift"] if shift else []) + list(keys)
        self.ask("send-key", keys=[{"type": "qcode", "data": key} for key in pressed])

    def photograph(self, png: Path) -> bytes:
        """Save what the screen shows as PNG and return its raw pixels."""
        raw = self._folder / "screen.ppm"
        self.ask("screendump", filename=str(raw))
        width, height, pixels = _pixels(raw.read_bytes())
        png.write_bytes(_png(width, height, pixels))
        return pixels

    def wait_for(self, words: str, seconds: float) -> float:
        """Wait until the first serial line says this; return the seconds since power-on."""
        while time.monotonic() - self.started < seconds:
            if self.serial.exists() and words in self.serial.read_text(errors="replace"):
                return time.monotonic() - self.started
            time.sleep(1)
        raise TimeoutError(f"{words!r} did not come in {seconds} s")

    def wait_until_drawn(self, seconds: float, colours: int = 4) -> float:
        """Wait until the screen has the tutor's colours, which a console's text has not; return the seconds since power-on."""
        while time.monotonic() - self.started < seconds:
            pixels = self.photograph(self._folder / "now.png")
            if len({pixels[at : at + 3] for at in range(0, len(pixels), 3)}) >= colours:
                return time.monotonic() - self.started
            time.sleep(1)
        raise TimeoutError(f"the screen was not drawn in {seconds} s")

    def screen(self) -> str:
        """Return what the screen says, as the stick's own report last told; letters beyond ASCII are question marks."""
        told = self.serial.read_text(errors="replace") if self.serial.exists() else ""
        whole = told.rpartition("screen: end")[0]
        return whole.rpartition("screen: begin\n")[2]

    def wait_for_screen(self, *words: str, seconds: float) -> str:
        """Wait until the screen says one of these; return which one."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            said = " ".join(self.screen().split())
            if found := next((each for each in words if each in said), None):
                return found
            time.sleep(0.5)
        raise TimeoutError(f"the screen did not say {words} in {seconds} s:\n{self.screen()}")

    def plug(self, name: str, image: Path, *, protected: bool = False) -> None:
        """Plug in another stick."""
        disk = {"driver": "file", "filename": str(image.absolute())}
        self.ask("blockdev-add", **{"node-name": name, "driver": "raw", "file": disk, "read-only": protected})
        self.ask("device_add", driver="usb-storage", drive=name, id=f"usb-{name}", removable=True)

    def pull(self, name: str) -> None:
        """Pull a stick out, without a word to anybody."""
        self.ask("device_del", id=f"usb-{name}")

    def cut(self) -> None:
        """Cut the power: kill -9, nothing is told to anybody."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        if self._socket is not None:
            self._socket.close()


def _pixels(ppm: bytes) -> tuple[int, int, bytes]:
    head = ppm.split(maxsplit=4)
    width, height = int(head[1]), int(head[2])
    return width, height, ppm[-3 * width * height :]


def _png(width: int, height: int, pixels: bytes) -> bytes:
    rows = b"".join(b"\0" + pixels[at : at + 3 * width] for at in range(0, 3 * width * height, 3 * width))

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
