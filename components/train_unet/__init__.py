"""Component `train_unet`."""
