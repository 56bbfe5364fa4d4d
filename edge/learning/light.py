"""sqlite-utils without numpy.

sqlite-utils takes numpy along when it can find it, for types we never store. That import takes
longer than everything else here, and on a processor from before 2009 it ends the program.
"""

from __future__ import annotations

import sqlite3
import sys
from importlib.abc import MetaPathFinder
from threading import get_ident
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database


class _NoNumpy(MetaPathFinder):
    """Says that there is no numpy, to the one thread that asks for sqlite-utils."""

    def __init__(self) -> None:
        self._thread = get_ident()

    def find_spec(self, fullname: str, _path: object, _target: object = None) -> None:
        """Refuse numpy and what needs it; leave all else to the usual finders."""
        if fullname in ("numpy", "pandas") and get_ident() == self._thread:
            raise ModuleNotFoundError("left out on purpose", name=fullname)


def light_database(connection: sqlite3.Connection) -> Database:
    """Return sqlite-utils over an open connection."""
    if "sqlite_utils" not in sys.modules:
        finder = _NoNumpy()
        sys.meta_path.insert(0, finder)
        try:
            import sqlite_utils  # noqa: F401
        finally:
            sys.meta_path.remove(finder)
    from sqlite_utils import Database

    return Database(connection, execute_plugins=False)
