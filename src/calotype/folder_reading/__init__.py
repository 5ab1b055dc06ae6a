"""Reading a folder of label files and images: which image a label belongs to, and what was read so far."""
