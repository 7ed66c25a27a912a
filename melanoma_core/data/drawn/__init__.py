"""Drawn lesions, a drawn dataset, drawn non-lesion images and drawn artefacts."""
