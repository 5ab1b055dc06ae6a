"""Annotate: annotations come in. So far by import of label files; people and models join later."""
