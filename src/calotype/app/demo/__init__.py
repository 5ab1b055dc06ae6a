"""The demo's own data: rendered streets with exact truth, and real handwritten digits; no network needed."""
