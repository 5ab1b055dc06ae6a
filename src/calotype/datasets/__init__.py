"""Floor 3: samples, annotations, ontology; views, commits, branches, diffs; label formats and contracts."""
