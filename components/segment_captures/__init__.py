"""Component `segment_captures`."""
