"""What was handed over in a whole district, from the receipts of its sticks."""
