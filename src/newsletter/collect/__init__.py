"""Collect: feeds become items. Open `poll.py` first."""
