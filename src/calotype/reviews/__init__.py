"""What becomes of submitted work: judged, accepted, merged, sent back."""
