"""Readers: the people. They join, confirm, prefer and leave."""
