"""Oversight of access: requests for a role and their answers, and the review of what is held and not used."""
