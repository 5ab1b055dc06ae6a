"""Maintenance of stored data: compaction, indexes of vectors, version clean-up, catalog copies, bucket probes."""
