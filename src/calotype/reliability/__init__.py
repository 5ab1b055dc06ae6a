"""Reliability: verify, repair, compact, move, back up and restore a workspace."""
