"""What can go wrong with a decision table or an answer to it."""

from __future__ import annotations

from edge.errors import EdgeError


class TriageError(EdgeError):
    """A decision table cannot be used, or an answer cannot be taken."""
