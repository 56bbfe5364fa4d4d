"""What can go wrong for a technician; the sentences lie in devkit's own strings."""

from __future__ import annotations

from edge.errors import EdgeError


class KitError(EdgeError):
    """What happened, with the value, and what to do next."""

    front_end = "devkit"
