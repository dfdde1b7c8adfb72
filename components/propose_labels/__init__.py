"""Component `propose_labels`."""
