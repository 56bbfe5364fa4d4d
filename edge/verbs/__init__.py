"""The verbs of `amauta`, one module each."""
