"""Component `train_ensemble`."""
