"""Drawn lesions, a drawn dataset and drawn pictures that are not lesions."""
