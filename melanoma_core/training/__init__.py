"""Images become a trained network."""
