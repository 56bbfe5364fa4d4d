"""One language model for a whole classroom: a process of its own that answers many pupils at once."""
