"""Numerical tools of the methods: threads of linear algebra, and minimisers."""
