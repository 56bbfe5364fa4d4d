"""Models: from text to small files a school laptop can run. A workstation, never a device."""
