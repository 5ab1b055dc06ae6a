"""Versions: merge, conflicts, undo, blame and protected branches."""
