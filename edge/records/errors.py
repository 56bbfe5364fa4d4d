"""What can go wrong with the records of a clinic."""

from __future__ import annotations

from edge.errors import EdgeError


class RecordsError(EdgeError):
    """The records could not be opened, read or added to."""


class LockedError(RecordsError):
    """The records are locked; somebody has to give the passphrase again."""
