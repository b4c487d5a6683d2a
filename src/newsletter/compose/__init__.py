"""Compose: items become a frozen edition. Open `compose.py` first."""
