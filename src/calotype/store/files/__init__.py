"""Files on a local disk and objects in a bucket: durable writes, listing and copying."""
