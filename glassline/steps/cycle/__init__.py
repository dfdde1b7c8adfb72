"""What steps of a product cycle share: where candidates start from, and what they may learn from."""
