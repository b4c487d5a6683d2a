"""Who asks for a counted link or picture."""

from __future__ import annotations

import pytest

from newsletter.feedback.agents import agent_of
from newsletter.model.visit import Agent

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.mark.parametrize(
    ("said", "agent"),
    [
        (FIREFOX, Agent.PERSON),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148", Agent.PERSON),
        ("Mozilla/4.0 (compatible; ms-office; MSOffice 16)", Agent.PERSON),
        ("Mozilla/5.0", Agent.PROXY),
        ("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", Agent.PROXY),
        ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", Agent.PROXY),
        ("", Agent.MACHINE),
        ("python-requests/2.32", Agent.MACHINE),
        ("Mozilla/5.0 (compatible; Googlebot/2.1)", Agent.MACHINE),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/140.0", Agent.MACHINE),
        ("Mozilla/5.0 (Windows NT 10.0) BarracudaLinkProtect", Agent.MACHINE),
    ],
)  # fmt: skip
def test_people_proxies_and_programs_are_told_apart_by_what_they_say(said: str, agent: Agent) -> None:
    assert agent_of({"user-agent": said}, method="GET") is agent


@pytest.mark.parametrize("header", ["sec-purpose", "purpose", "x-moz"])
def test_what_a_browser_fetches_in_advance_is_no_visit_of_a_person(header: str) -> None:
    assert agent_of({"user-agent": FIREFOX, header: "prefetch;prerender"}, method="GET") is Agent.MACHINE


def test_who_asks_for_the_head_alone_is_a_program() -> None:
    assert agent_of({"user-agent": FIREFOX}, method="HEAD") is Agent.MACHINE
