"""`python -m calotype`."""

from calotype.app.cli import main

main()
