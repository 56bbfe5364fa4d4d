"""The health worker's visit: which question comes next and what was found, without a screen."""
