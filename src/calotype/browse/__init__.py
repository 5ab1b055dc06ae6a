"""Browse: data for lists, grids, sample pages and comparisons."""
