"""Image bytes: stored by SHA-256 on a disk or in a bucket, or referenced where they are."""
