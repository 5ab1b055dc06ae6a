"""Garbage collection: compaction, two-phase sweeps of unreachable data, cache trimming."""
