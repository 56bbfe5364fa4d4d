"""Later sync: what a classroom did reaches the hub, by stick, and nothing is ever lost."""
