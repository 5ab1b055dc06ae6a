"""Workspaces that earlier versions wrote, packed; each with the script that wrote it."""
