"""Which installed distributions the frozen app is made of, and which must stay out.

Read from the metadata of what is installed: what `amauta` needs without its extras, what a
clinic prints with, and what those need in turn. Everything else in the environment (PyTorch, pytest, ...) is named
as a stranger, so that no hook can pull it in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib import metadata

APP = "amauta"
CARRIED_TOO = ("fpdf2", "openpyxl")
"""What a frozen app carries beyond what it cannot do without, where it is installed: a health post prints referrals and reads forms."""

UNUSED = frozenset({"pip", "pycparser", "pillow"})
"""Needed to install or to compile what we carry, or for pictures in a PDF; never to run what we do."""

ALSO_OUT = (
    "devkit", "quantize", "tkinter", "_tkinter", "turtle", "idlelib", "lib2to3", "pydoc_data", "ensurepip", "distutils",
    "readline", "IPython", "numpy.f2py", "numpy.testing", "onnxruntime.transformers", "onnxruntime.quantization",
    "onnxruntime.tools", "onnxruntime.datasets", "llama_cpp.server", "piper.train", "zstandard.backend_cffi", "zstandard._cffi",
)  # fmt: skip
"""Modules inside what we carry, or in Python itself, that no screen and no verb uses."""


def plain(name: str) -> str:
    """Return the name of a distribution as every index spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def needed(requirements: Mapping[str, Sequence[str]], *apps: str) -> tuple[str, ...]:
    """Return the app, or other distributions, and everything they need here, from each one's requirements."""
    from packaging.requirements import Requirement

    found: set[tuple[str, str]] = set()
    waiting = [(app, "") for app in apps or (APP,)]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in found or name not in requirements or name in UNUSED:
            continue
        found.add((name, extra))
        for line in requirements[name]:
            want = Requirement(line)
            if want.marker is None or want.marker.evaluate({"extra": extra}):
                waiting += [(plain(want.name), asked) for asked in ("", *want.extras)]
    return tuple(sorted({name for name, _ in found}))


def strangers(providers: Mapping[str, Sequence[str]], carried: Sequence[str]) -> tuple[str, ...]:
    """Return the importable names that only distributions outside `carried` provide."""
    wanted = set(carried)
    names = (name for name, sources in providers.items() if not wanted & {plain(source) for source in sources})
    return tuple(sorted({*(name for name in names if name.isidentifier()), *ALSO_OUT}))


def installed_requirements() -> dict[str, list[str]]:
    """Return what each distribution installed here asks for."""
    return {plain(found.metadata["Name"]): list(found.requires or ()) for found in metadata.distributions()}


def carried_here() -> tuple[str, ...]:
    """Return the distributions the frozen app is made of, as installed here."""
    return needed(installed_requirements(), APP, *CARRIED_TOO)


def strangers_here() -> tuple[str, ...]:
    """Return what must stay out of the frozen app, as installed here."""
    return strangers(metadata.packages_distributions(), carried_here())
