"""What a district may know of what its schools handed over; `groups` holds the rule for small groups."""
