"""Backups: what they contain, where they are stored, creating and restoring them."""
