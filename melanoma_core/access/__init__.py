"""Who may do what: roles, the right that each action needs, and who acts now."""
