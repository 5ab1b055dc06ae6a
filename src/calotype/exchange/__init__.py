"""The list of formats, and what works on files without a workspace: detect, inspect, convert."""
