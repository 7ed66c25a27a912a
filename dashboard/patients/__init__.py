"""The Patients page."""
