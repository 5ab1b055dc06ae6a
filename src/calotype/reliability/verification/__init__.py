"""Verification of a whole workspace: catalog, tables, media, releases and temporary files."""
