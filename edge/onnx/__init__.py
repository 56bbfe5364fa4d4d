"""Language models as ONNX: what such a file says of itself, its memory, and the engine that writes with it."""
