"""Component `train_triplet`."""
