"""The screen of Amauta: shows and tells, never decides."""
