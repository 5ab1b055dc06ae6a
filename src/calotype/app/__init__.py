"""Floor 7: where everything is put together: the command line, the server, the demo."""
