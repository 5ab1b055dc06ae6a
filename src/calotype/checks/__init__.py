"""Floor 4: tests of a dataset against its contract: checks, findings, gates."""
