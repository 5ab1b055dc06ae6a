"""The data of the demo: rendered streets with exact ground truth, and real handwritten digits. Needs no network."""
