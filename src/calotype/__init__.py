"""Calotype: images in, governed datasets out."""

__version__ = "0.1.0"
