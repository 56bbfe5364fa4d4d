"""Train a small Llama-architecture language model, and turn it into a GGUF file with a report card."""
