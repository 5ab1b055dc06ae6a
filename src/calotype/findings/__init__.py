"""Findings: results of checks, their lifecycle, decisions and fixes."""
