"""Compose the content of a data stick: a partition table, a file system, and the files of the plan."""
