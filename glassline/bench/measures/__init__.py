"""Measuring functions, each from a `Bench` to what it `Measured`; the catalogue names them."""
