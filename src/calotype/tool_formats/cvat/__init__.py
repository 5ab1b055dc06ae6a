"""CVAT XML 1.1: reading images and video, writing."""
