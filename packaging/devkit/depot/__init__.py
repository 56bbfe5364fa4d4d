"""A technician's local store of verified artifacts."""

from devkit.depot.store import KINDS, Depot, Entry, KeptFile, Kind

__all__ = ["KINDS", "Depot", "Entry", "KeptFile", "Kind"]
