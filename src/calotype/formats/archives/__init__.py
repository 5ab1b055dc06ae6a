"""Archives that hold label files and images: unpacked within limits, never to a path that they name."""
