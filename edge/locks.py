"""Let one process at a time work on a file or folder. The lock ends with its process, however that ends.

Some network and FAT folders know no locks; there nobody else is expected, and the work goes on without one.
"""

from __future__ import annotations

import os
import sys

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

BEYOND = 1 << 40
"""Windows locks bytes, and a locked one cannot be read: this one is never there."""


def take(handle: int, *, together: bool = False) -> bool:
    """Lock an open file, alone or `together` with others that ask so too; False when another process holds it."""
    if sys.platform == "win32":
        return together or _take_byte(handle)
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if together else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def hold(handle: int) -> None:
    """Wait until an open file is ours alone. Windows has no such wait; there only one process may come this way."""
    if sys.platform != "win32":
        fcntl.flock(handle, fcntl.LOCK_EX)


def _take_byte(handle: int) -> bool:
    """Hold one byte far behind the end of the file."""
    here = os.lseek(handle, 0, os.SEEK_CUR)
    try:
        os.lseek(handle, BEYOND, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[name-defined,unused-ignore]
    except OSError:
        return False
    finally:
        os.lseek(handle, here, os.SEEK_SET)
    return True
