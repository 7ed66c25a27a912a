"""A labelled folder of photographs -> a model measured on it."""
