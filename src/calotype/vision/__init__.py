"""Floor 1: pure values and maths of images and annotations. NumPy and bytes in and out, no files, no network."""
