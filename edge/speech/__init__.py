"""Text to sound: how a text is said, by which voice, through which device."""
