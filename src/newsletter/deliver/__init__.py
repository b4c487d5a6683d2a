"""Deliver: messages become deliveries with a known outcome. Open `send.py` first."""
