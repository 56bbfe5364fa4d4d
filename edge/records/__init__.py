"""What a health worker keeps of a visit: sealed on the disk, never changed, exported only when asked."""
