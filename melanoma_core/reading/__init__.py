"""A photograph becomes an explained reading."""
