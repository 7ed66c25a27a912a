"""Which network reads, and why it may."""
