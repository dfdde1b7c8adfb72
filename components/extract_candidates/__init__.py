"""Component `extract_candidates`."""
