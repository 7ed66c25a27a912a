"""Backup and restore of a server: the record, its photographs, models, runs, roles and tokens."""
