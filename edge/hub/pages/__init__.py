"""What a district officer and a school's head read in a browser: made on the server, no script, nothing from elsewhere."""
