"""Labelling work: batches, the queue, the record of what people do, reviews, and how accepted work lands."""
