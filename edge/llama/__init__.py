"""The parts of a running GGUF model: its vocabulary, what it has read, guesses ahead, and beginnings kept on disk."""
