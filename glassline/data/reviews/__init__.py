"""What people decide on samples: which sample is meant, what they say of it, and what becomes of the table."""
