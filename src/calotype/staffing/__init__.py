"""Who works in a batch, and how their work fares: what a manager of batches sees and decides about people."""
