"""What can go wrong with an update in a way its user can mend."""

from __future__ import annotations

import errno
from pathlib import Path

from edge.errors import EdgeError
from edge.files import is_full


class UpdateError(EdgeError):
    """An update cannot be made; what was installed stays as it is."""


def disk_error(error: OSError, folder: Path) -> UpdateError:
    """Say in words what the disk refused."""
    if has_no_room(error):
        return UpdateError("update-full", path=folder)
    return UpdateError("update-disk", path=folder, reason=error.strerror or str(error))


def has_no_room(error: OSError) -> bool:
    """Tell whether the disk had no room left, or none for so large a file."""
    return is_full(error) or error.errno == errno.EFBIG
