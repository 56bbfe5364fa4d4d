"""Import one module of a package without all the rest that it imports first, and read its version: less time, less memory."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec
from pathlib import Path


@contextmanager
def bare(package: str) -> Iterator[Path]:
    """Within the block, modules of `package` come without its own imports; gives its folder. Raises ImportError when there is none.

    Whoever imports the package afterwards gets all of it.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ImportError(package)
    known = sys.modules.get(package)
    if known is None:
        sys.modules[package] = module_from_spec(spec)
    try:
        yield Path(spec.origin).parent
    finally:
        if known is None:
            del sys.modules[package]


def version_of(distribution: str, package: str) -> str:
    """Return the version of what a package was installed from; nothing when it is not there.

    Reads the name of the folder beside it, where `importlib.metadata` first imports what reads e-mail.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return ""
    found = sorted(path.stem for path in Path(spec.origin).parent.parent.glob(f"{distribution}-*.dist-info"))
    return found[-1].removeprefix(f"{distribution}-") if found else _told(distribution)


def _told(distribution: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""
