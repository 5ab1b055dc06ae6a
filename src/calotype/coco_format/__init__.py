"""COCO: one JSON file of images, annotations and categories."""
