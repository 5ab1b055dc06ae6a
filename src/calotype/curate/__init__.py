"""Floor 4, room `curate`: which samples go into which split, and which ones to pick."""
