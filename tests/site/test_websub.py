"""A hub and the whole program: subscribed where a feed announces it, and what it pushes is accepted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.site.hub import Hub
from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Log, Program, feed_file, until

pytestmark = pytest.mark.slow


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as running:
        yield running


def announcing(hub: Hub, partner: Partner, *headlines: str) -> bytes:
    links = "".join(
        f'<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="{rel}" href="{url}"/>'
        for rel, url in (("hub", hub.url), ("self", f"{partner.url}/feed"))
    )
    document = feed_of(*(Article(headline=headline) for headline in headlines))
    return document.replace(b"<channel>", b"<channel>" + links.encode(), 1)


@pytest.mark.parametrize(
    "processes",
    [
        pytest.param(("run",), id="one process"),
        pytest.param(("run --role clock", "run --role web"), id="two processes"),
    ],
)
def test_a_piece_that_a_hub_pushes_is_accepted_while_the_program_runs(
    program: Program, partner: Partner, hub: Hub, processes: tuple[str, ...]
) -> None:
    partner.bodies["/feed"] = announcing(hub, partner, "The quiet contest")
    program.configure(harbour=feed_file(f"{partner.url}/feed"))
    config = program.folder / "config.toml"
    config.write_text(config.read_text().replace("[collect]\n", "[collect]\nwebsub = true\n"))
    program.json("poll")

    with ExitStack() as running:
        logs = []
        for each in reversed(processes):
            logs.append(Log(running.enter_context(program.process(*each.split()))))
            # The pages must be there before the clock asks the hub, which asks back at once.
            logs[-1].wait_for("clock started")
        logs[-1].wait_for("hub asked")
        until(lambda: hub.confirmed == ["subscribe"])
        assert hub.push(announcing(hub, partner, "The harbour freezes over")) == 202
        logs[-1].wait_for("push read")

    headlines = {item["headline"]: item["state"] for item in program.json("items")["items"]}
    assert headlines == {"The quiet contest": "accepted", "The harbour freezes over": "accepted"}
    assert len(partner.asked) == 1, "the feed itself was not asked for it"
    shown = program.run("feeds", "show", "harbour").out
    assert re.search(
        r"^hub: 127.0.0.1 has promised to push what is new until .*; last pushed .* UTC, ", shown, re.MULTILINE
    )
    assert re.search(
        r"^next: asked by the first poll after .*: until then its hub tells what is new", shown, re.MULTILINE
    )
    token = hub.callback.rpartition("/")[2]
    assert not any(log.has(token) for log in logs)
    assert token not in shown
    assert program.json("feeds", "show", "harbour")["hub"]["state"] == "active"
