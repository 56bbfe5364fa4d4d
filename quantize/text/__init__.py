"""The texts of a release: what calibrates, what teaches a student, and what only measures."""
