"""What may run on a device: the catalogue of artifacts, and what each model has proved it can do."""
