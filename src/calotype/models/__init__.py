"""Floor 2: embedders, which turn images into vectors. Inference only; nothing is trained here."""
