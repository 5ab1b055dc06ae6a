"""Open Images: CSV files of boxes, labels and masks."""
