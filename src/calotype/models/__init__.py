"""Floor 2: runners for models that turn images into numbers. Nothing is trained here."""
