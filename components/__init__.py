"""One folder per step: a KFP component, one import and one call."""
