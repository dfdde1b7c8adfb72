"""Tuning: which settings of a method are searched, how one is judged, and the study that remembers."""
