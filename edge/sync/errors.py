"""What can go wrong between a device, a stick and a hub."""

from __future__ import annotations

from edge.errors import EdgeError


class SyncError(EdgeError):
    """Something to hand over could not be written, read or recorded."""


class RefusedError(SyncError):
    """Bytes from a stick that are not what they should be; nothing was taken from them."""
