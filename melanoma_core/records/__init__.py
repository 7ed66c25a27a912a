"""The clinic's record: first read, AI reading, decision, histology, audit.

A record exists only after a person has created one. Nothing in it is overwritten.
"""
