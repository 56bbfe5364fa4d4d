"""The hub as a server: devices deliver over HTTPS, people log in and read. Only `amauta hub serve` loads it."""
