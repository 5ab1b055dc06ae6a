"""Answers of several annotators: how likely each true class makes them."""
