"""Reporting guides, with the answers that a model card and its evidence can give."""
