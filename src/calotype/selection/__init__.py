"""Which samples to label or keep next: from vectors, labels and predictions to ranked picks with reasons."""
