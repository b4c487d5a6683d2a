"""A small site without faults, and what tests do to it."""

from collections.abc import Callable
from pathlib import Path

from newsletter.model.settings import Settings

WriteSite = Callable[..., Path]
Faults = Callable[..., tuple[str, ...]]
Load = Callable[..., Settings]

CONFIG = """\
[publication]
name = "The Brief"
base_url = "https://brief.example.org/"
from = "The Brief <brief@news.example.org>"
bounce_address = "bounces@bounce.example.org"

[[relays]]
name = "main"
url = "smtp://127.0.0.1:2525"

[lists.brief]
title = "The Brief"

[digests.daily]
list = "brief"
schedule = "0 7 * * mon-fri"
feeds = ["harbour"]
"""
FEED = """\
url = "https://harbour.example.org/feed"
partner = "The Harbour"
"""
