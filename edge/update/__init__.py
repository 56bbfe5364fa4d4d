"""Bring a trusted release onto this device, switch to it at once, and go back when it does not start."""
