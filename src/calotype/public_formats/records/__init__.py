"""Formats that describe an image by a row: Hugging Face image folders and Parquet shards, WebDataset."""
