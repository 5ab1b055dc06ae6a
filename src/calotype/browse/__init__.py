"""Browse: what lists, grids, sample pages and comparisons show."""
