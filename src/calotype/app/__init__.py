"""The application: command line, server, demo, and the wiring of the rooms."""
