"""Publish: the way out, for what was sent."""
