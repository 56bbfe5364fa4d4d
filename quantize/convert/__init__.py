"""From a checkpoint folder to GGUF by llama.cpp's own converter, and the proof that both are one model."""
