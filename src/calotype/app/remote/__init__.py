"""The server of remote workspaces, and how programs sign in to one."""
