"""Drawn lesions, a drawn dataset and drawn non-lesion images."""
