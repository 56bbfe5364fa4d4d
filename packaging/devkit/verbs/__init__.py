"""The verbs of `amauta-kit`, one module each."""
