"""Stages in order, run again and again: only what changed is done again."""
