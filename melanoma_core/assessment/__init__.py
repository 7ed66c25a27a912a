"""Evaluate a model on a labelled folder."""
