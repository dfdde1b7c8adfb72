"""Component `train_transfer`."""
