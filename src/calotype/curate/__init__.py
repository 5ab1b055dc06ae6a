"""Assign samples to splits, select samples, and search them by vectors."""
