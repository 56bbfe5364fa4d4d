"""What the processor of this machine can do.

Asks the system, not a library: the libraries that would know may be the very ones that die
on an old processor. `parse_cpuinfo` and `tier` are pure.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

X86 = ("x86_64", "amd64")
ARM = ("aarch64", "arm64")

LEVELS = {
    2: frozenset({"cx16", "lahf_lm", "popcnt", "sse4_1", "sse4_2", "ssse3"}),
    3: frozenset({"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"}),
    4: frozenset({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
}
"""The x86-64 levels that compilers agreed on, and what each adds."""

ARM_CORES = {
    "0xd03": "Cortex-A53", "0xd04": "Cortex-A35", "0xd05": "Cortex-A55", "0xd07": "Cortex-A57", "0xd08": "Cortex-A72",
    "0xd09": "Cortex-A73", "0xd0a": "Cortex-A75", "0xd0b": "Cortex-A76", "0xd0c": "Neoverse-N1", "0xd40": "Neoverse-V1",
    "0xd41": "Cortex-A78", "0xd49": "Neoverse-N2",
}  # fmt: skip
"""Linux names an ARM processor by numbers only; those of Arm's own cores."""

_WINDOWS_FEATURES = {
    14: "cx16", 13: "pni", 36: "ssse3", 37: "sse4_1", 38: "sse4_2", 39: "avx", 40: "avx2", 41: "avx512f",
}  # fmt: skip
_WINDOWS_IMPLIED = {
    "sse4_2": ("popcnt", "lahf_lm"),
    "avx2": ("bmi1", "bmi2", "f16c", "fma", "movbe"),
}
"""Windows does not tell these, but no processor has the one without the others."""


@dataclass(frozen=True, slots=True)
class Processor:
    """The processor: its name, its family and its abilities."""

    name: str
    machine: str
    """As Python names it: x86_64, AMD64, aarch64, armv7l."""

    flags: frozenset[str]
    """As Linux names them; empty when the system does not tell."""


def read_processor(environ: Mapping[str, str], cpuinfo: Path = Path("/proc/cpuinfo")) -> Processor:
    """Ask this machine."""
    machine = platform.machine()
    if sys.platform == "win32":
        return Processor(environ.get("PROCESSOR_IDENTIFIER", machine), machine, _windows_flags())
    try:
        text = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    return parse_cpuinfo(text, machine)


def parse_cpuinfo(text: str, machine: str) -> Processor:
    """Read the text of /proc/cpuinfo of an x86 or an ARM machine."""
    facts: dict[str, str] = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        facts.setdefault(name.strip().casefold(), value.strip())
    flags = facts.get("flags") or facts.get("features", "")
    name = facts.get("model name") or facts.get("model") or facts.get("hardware") or _arm_name(facts) or machine
    return Processor(" ".join(name.split()), machine, frozenset(flags.casefold().split()))


def _arm_name(facts: Mapping[str, str]) -> str:
    """Return what Arm calls the core, or the numbers, so that what was measured on one is not taken for another's."""
    maker, part = facts.get("cpu implementer", ""), facts.get("cpu part", "")
    if maker == "0x41" and part in ARM_CORES:
        return ARM_CORES[part]
    return f"ARM {maker} {part}" if part else ""


def tier(processor: Processor) -> int:
    """Return 1 to 4 for the x86-64 levels, 5 for 64-bit ARM, 0 for anything else.

    A processor of which nothing is known counts as the level that every program here needs.
    """
    machine = processor.machine.casefold()
    if machine in ARM:
        return 5
    if machine not in X86:
        return 0
    if not processor.flags:
        return 2
    level = 1
    while level < 4 and processor.flags >= LEVELS[level + 1]:
        level += 1
    return level


def core_count() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def physical_cores(cpus: Path = Path("/sys/devices/system/cpu")) -> int:
    """Return how many real cores this process may use; where the system does not tell, every one counts."""
    if sys.platform == "win32":
        return core_count()
    mine = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(core_count()))
    siblings = set()
    for cpu in mine:
        try:
            siblings.add((cpus / f"cpu{cpu}" / "topology" / "thread_siblings_list").read_text(encoding="ascii"))
        except (OSError, UnicodeDecodeError):
            siblings.add(str(cpu))
    return len(siblings)


def _windows_flags() -> frozenset[str]:
    kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
    found = {name for number, name in _WINDOWS_FEATURES.items() if kernel.IsProcessorFeaturePresent(number)}
    for name in tuple(found):
        found.update(_WINDOWS_IMPLIED.get(name, ()))
    return frozenset(found)
