"""Floor 4: deterministic changes: pixels by a recipe, classes by a mapping."""
