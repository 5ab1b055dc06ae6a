"""Govern: who may do what, what was done, and the proof that nothing is missing."""
