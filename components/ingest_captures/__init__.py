"""Component `ingest_captures`."""
