"""The inspector on the line: units in, verdicts and overlays out, for bundles of all five systems; needs no torch."""
