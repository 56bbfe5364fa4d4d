"""The reader: a small network that finds the sentence that answers, trained from scratch."""
