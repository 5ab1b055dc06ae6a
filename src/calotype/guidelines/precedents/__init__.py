"""Precedents: rulings on difficult cases that are kept, each with the image it is about and the reason."""
