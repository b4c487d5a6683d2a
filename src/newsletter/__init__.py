"""From partner feeds to the inbox: collect, compose, render, deliver, and hear back."""

__version__ = "0.1.0"
