"""One function per pipeline step: a plain Python call with its tracking."""
