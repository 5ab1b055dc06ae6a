"""Permissions of roles, and the audit trail."""
