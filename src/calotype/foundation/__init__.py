"""Floor 0: errors and their codes, ids, clock, actors and permissions. Knows nothing of images or storage."""
