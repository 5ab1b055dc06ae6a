"""Errors in segmentation masks, judged by the predictions of a model."""
