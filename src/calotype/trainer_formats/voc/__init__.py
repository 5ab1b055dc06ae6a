"""Pascal VOC: one XML file of boxes for each image, and images of masks."""
