"""Datasets: samples, annotations and their queries; commits, branches, tags and diffs."""
