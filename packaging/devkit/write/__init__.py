"""Write sticks, read them back, and say so only when every block was found right."""
