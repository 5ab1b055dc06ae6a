"""People: accounts, teams, roles, sign-in and API tokens."""
