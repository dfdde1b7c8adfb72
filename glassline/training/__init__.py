"""The one training loop and the data it reads."""
