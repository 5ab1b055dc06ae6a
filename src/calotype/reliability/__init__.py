"""Reliability: prove a workspace whole, mend it, keep it small, carry it away and bring it back."""
