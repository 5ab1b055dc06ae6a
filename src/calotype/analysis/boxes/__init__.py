"""Errors in boxes, judged by the predictions of a detector."""
