"""The papers' tables and figures, each with what is published, how ours is measured, and the page of results."""
