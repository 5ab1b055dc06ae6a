"""Label Studio JSON: tasks with annotations and predictions."""
