"""Exports of labelling services and web tools, read only."""
