"""Render: an edition becomes messages. Open `render.py` first."""
