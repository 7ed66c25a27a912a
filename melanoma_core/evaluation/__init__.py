"""Compute a model's metrics on labelled images, each with a 95% confidence interval."""
