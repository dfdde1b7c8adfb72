"""Component `verify_captures`."""
