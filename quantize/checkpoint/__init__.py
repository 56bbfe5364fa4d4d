"""A checkpoint folder in the Hugging Face layout: fetched, checked byte by byte, and named."""
