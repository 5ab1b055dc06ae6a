"""Copies that show a part of an image."""
