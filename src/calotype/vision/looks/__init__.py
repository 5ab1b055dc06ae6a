"""Looks: how an image looks, in 2,592 bytes, and how well the looks of two images match."""
