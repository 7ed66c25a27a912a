"""Which model reads: comparison, gate, promotion, versions."""
