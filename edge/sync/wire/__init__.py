"""Wire protocol 1: the same sealed bundles as by stick, over HTTPS to a hub, a portion at a time."""
