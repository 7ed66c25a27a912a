"""The Users page: who has logged in, and with which roles."""
