"""What may be taught: content packs, and finding a passage in them."""
