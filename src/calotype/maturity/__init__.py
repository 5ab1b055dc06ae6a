"""Maturity: how far a dataset is on the hierarchy of needs, read from evidence that the platform holds."""
