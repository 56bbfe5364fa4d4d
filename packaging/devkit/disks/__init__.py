"""Disks a technician may write to: what is attached, and what must never be touched."""
