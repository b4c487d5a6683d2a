"""Telling people from programs by what a request says about itself."""

from __future__ import annotations

import re
from collections.abc import Mapping

from newsletter.model.visit import Agent

# Apple's Mail Privacy Protection says this much and no more; it fetches whether a mail is read or not.
_APPLE = "mozilla/5.0"
_PROXIES = re.compile(r"googleimageproxy|ggpht\.com|yahoomailproxy|yahoo ad monitoring|duckduckgo.*proxy")
_PROGRAMS = re.compile(
    r"bot\b|bot/|crawl|spider|scan|preview|prefetch|monitor|headless|phantomjs|selenium|playwright"
    r"|python|curl|wget|libwww|java/|go-http|okhttp|httpclient|axios|node-fetch|guzzle|ruby|perl|php/"
    r"|barracuda|proofpoint|mimecast|fireeye|trendmicro|sophos|symantec|forcepoint|ironport|safelinks|urldefense|cloudmark"
)
_PREFETCHING = ("sec-purpose", "purpose", "x-purpose", "x-moz")


def agent_of(headers: Mapping[str, str], *, method: str) -> Agent:
    """Who asks. Header names are lower case. What looks like a person may still be a program that pretends."""
    said = headers.get("user-agent", "").strip().lower()
    if method == "HEAD" or not said or any("prefetch" in headers.get(name, "").lower() for name in _PREFETCHING):
        return Agent.MACHINE
    if said == _APPLE or _PROXIES.search(said):
        return Agent.PROXY
    return Agent.MACHINE if _PROGRAMS.search(said) else Agent.PERSON
