"""Paper that goes with a stick: its label, and the delivery note both sides sign."""
