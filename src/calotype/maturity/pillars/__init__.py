"""What each pillar of the hierarchy measures."""
