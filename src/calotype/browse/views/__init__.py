"""Saved views: queries with their order and display, kept under a name."""
