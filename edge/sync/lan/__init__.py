"""Handing over on the school's own network: a teacher's laptop carries sealed bundles it cannot read."""
