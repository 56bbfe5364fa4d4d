"""The hub: receives what devices hand over, acknowledges it, and reports. SQLite on any laptop; no server."""
