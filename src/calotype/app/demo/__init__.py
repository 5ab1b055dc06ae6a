"""The `demo` command: its pipelines, and the scorecard of the planted faults. `calotype.demo` makes the data."""
