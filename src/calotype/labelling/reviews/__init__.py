"""Reviews: what waits, and what reviewers decide."""
