"""Release tested versions of a dataset with splits, card and exports, and read them for training."""
