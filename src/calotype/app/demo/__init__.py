"""The demo's own data: rendered streets with exact truth, and real handwritten digits. Nothing here needs a network."""
