"""Probabilities become figures that can be believed."""
