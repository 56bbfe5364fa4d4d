"""Twelve characters that tell a technician on the phone what a device is and what fails on it.

Pure. Crockford's base 32: no I, L, O or U, and whoever hears an O may type a zero. Ten
characters carry the facts, two check them: any one wrong character, and any two that
changed places, are noticed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.errors import EdgeError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 12

CHECKS = (
    "cpu", "memory", "disk", "store", "lessons", "reader", "model", "speech", "sound", "terminal", "numbers",
)  # fmt: skip
"""What doctor looks at. New ones go to the end, at most twelve: the code gives each its own bit."""

SYSTEMS = ("other", "Linux", "Windows", "Darwin")
RAM_STEPS_MB = (0, 512, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768, 65536)
DISK_STEPS_MB = (0, 50, 100, 200, 500, 1000, 2000, 4000, 8000, 16000, 32000, 64000, 128000, 256000)
CORE_STEPS = (1, 2, 3, 4, 6, 8, 12, 16)

_FORMAT = 1
_DIVISOR = 0b11000110011
"""CRC-10, with the polynomial of ATM: finds every error within ten neighbouring bits, two characters."""

_FIELDS = (
    ("format", 3), ("major", 3), ("minor", 6), ("patch", 5), ("system", 2), ("cpu", 3), ("cores", 3),
    ("ram", 4), ("disk", 4), ("sound", 1), ("failed", 12), ("spare", 4),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the code tells; amounts are the steps they reach."""

    version: tuple[int, int, int]
    system: str
    cpu_tier: int
    cores: int
    ram_mb: int
    disk_mb: int
    sound: bool
    failed: tuple[str, ...]
    """The checks that failed, in the order of CHECKS."""


def step(value: int, steps: Sequence[int]) -> int:
    """Return the highest of `steps` that `value` reaches; a 4 GB machine shows a little less than 4096."""
    return max((s for s in steps if s <= value * 1.1), default=steps[0])


def encode(diagnosis: Diagnosis) -> str:
    """Return the code, as XXXX-XXXX-XXXX."""
    major, minor, patch = diagnosis.version
    system = diagnosis.system if diagnosis.system in SYSTEMS else "other"
    values = {
        "format": _FORMAT,
        "major": min(major, 7),
        "minor": min(minor, 63),
        "patch": min(patch, 31),
        "system": SYSTEMS.index(system),
        "cpu": diagnosis.cpu_tier,
        "cores": CORE_STEPS.index(step(diagnosis.cores, CORE_STEPS)),
        "ram": RAM_STEPS_MB.index(step(diagnosis.ram_mb, RAM_STEPS_MB)),
        "disk": DISK_STEPS_MB.index(step(diagnosis.disk_mb, DISK_STEPS_MB)),
        "sound": int(diagnosis.sound),
        "failed": sum(1 << CHECKS.index(name) for name in diagnosis.failed),
        "spare": 0,
    }
    number = 0
    for name, bits in _FIELDS:
        number = number << bits | values[name]
    number = number << 10 | _remainder(number << 10)
    letters = "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(LENGTH)))
    return "-".join((letters[:4], letters[4:8], letters[8:]))


def decode(code: str) -> Diagnosis:
    """Read a code that somebody dictated; raise EdgeError when a character must be wrong."""
    letters = "".join(c for c in code.upper() if not c.isspace() and c not in "-.")
    letters = letters.translate(str.maketrans("OIL", "011"))
    if len(letters) != LENGTH:
        raise EdgeError("code-length", code=code[:40], characters=len(letters), length=LENGTH)
    if wrong := [c for c in letters if c not in ALPHABET]:
        raise EdgeError("code-letter", code=code[:40], letter=wrong[0])
    number = 0
    for letter in letters:
        number = number << 5 | ALPHABET.index(letter)
    if _remainder(number):
        raise EdgeError("code-wrong", code=code[:40])
    return _diagnosis(number >> 10, code)


def _diagnosis(number: int, code: str) -> Diagnosis:
    values: dict[str, int] = {}
    for name, bits in reversed(_FIELDS):
        values[name] = number & (1 << bits) - 1
        number >>= bits
    if values["format"] != _FORMAT:
        raise EdgeError("code-newer", code=code[:40])
    steps = {"ram": RAM_STEPS_MB, "disk": DISK_STEPS_MB, "cores": CORE_STEPS}
    if any(values[name] >= len(known) for name, known in steps.items()) or values["failed"] >> len(CHECKS):
        raise EdgeError("code-newer", code=code[:40])
    return Diagnosis(
        version=(values["major"], values["minor"], values["patch"]),
        system=SYSTEMS[values["system"]],
        cpu_tier=values["cpu"],
        cores=CORE_STEPS[values["cores"]],
        ram_mb=RAM_STEPS_MB[values["ram"]],
        disk_mb=DISK_STEPS_MB[values["disk"]],
        sound=bool(values["sound"]),
        failed=tuple(name for bit, name in enumerate(CHECKS) if values["failed"] >> bit & 1),
    )


def _remainder(number: int) -> int:
    """Divide without carrying; a code with its check characters leaves nothing."""
    for place in reversed(range(10, 60)):
        if number >> place & 1:
            number ^= _DIVISOR << place - 10
    return number
