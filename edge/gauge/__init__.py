"""How fast this machine is: its memory, and a model on it. Measured on request, remembered, never guessed."""
