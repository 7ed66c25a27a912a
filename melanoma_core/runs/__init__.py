"""A training is asked for, waits, lives in a process of its own, is recorded and compared."""
