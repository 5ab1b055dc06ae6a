"""Run a dataset's stages in order; a rerun only does what changed."""
