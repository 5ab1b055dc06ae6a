"""What labels mean: the ontology, its migrations, guidelines with versions, and labels that a change made stale."""
