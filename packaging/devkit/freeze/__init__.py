"""One folder with the whole app, for machines that have no Python."""
