"""Measures of the quality of an image: light, edges, compression."""
