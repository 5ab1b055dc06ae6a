"""Errors and their codes, ids, time, actors and permissions. Depends on nothing else in Calotype."""
