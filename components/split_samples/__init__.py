"""Component `split_samples`."""
