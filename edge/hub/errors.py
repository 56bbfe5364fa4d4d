"""What can go wrong at a hub."""

from __future__ import annotations

from edge.errors import EdgeError


class HubError(EdgeError):
    """The hub cannot do what was asked; what it had is as it was."""
