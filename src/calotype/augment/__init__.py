"""Floor 4: seeded random copies of samples, with their annotations."""
