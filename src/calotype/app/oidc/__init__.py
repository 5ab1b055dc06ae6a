"""Signing in through an OpenID Connect provider: settings, the provider, the flow of a browser."""
