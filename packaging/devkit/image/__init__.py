"""A bootable stick: Debian, the app and a place for what is learned."""
