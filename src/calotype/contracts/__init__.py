"""Contracts: what a prediction task needs from its dataset, as YAML."""
