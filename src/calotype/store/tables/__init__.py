"""Lance tables: staging and publishing, reads at a pinned version, row lookup, diffs and caches."""
