"""The device: packs, search, turns, learning, speech. No Textual, no torch."""

__version__ = "0.1.0"
