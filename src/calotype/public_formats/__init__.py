"""Formats in which public datasets are given out, one module each."""
