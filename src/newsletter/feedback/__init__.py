"""Feedback: what servers and readers report becomes suppressions."""
