"""Acquire: images come in from folders, each checked at the door."""
