"""Clinic decision tables: answers in, urgency and steps out. No model, no disk but for reading a table."""
