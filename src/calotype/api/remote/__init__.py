"""The client of a remote workspace: the same handles and commands, with the data on a server."""
