"""Annotate: small edits of annotations and samples, and undo of every edit of a working state."""
