"""Component `train_regression`."""
