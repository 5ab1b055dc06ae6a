"""Rendered street scenes with their exact annotations: the data of the demo."""
