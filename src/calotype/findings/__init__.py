"""Findings: what checks find, and what becomes of it."""
