"""One file per box of the papers' figures, and a registry of names."""
