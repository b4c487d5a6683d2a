"""Logs: lines of JSON where nobody watches."""

import io
import json
import logging

import pytest
import structlog

from newsletter import log


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("kind", [io.StringIO, Terminal])
def test_a_failure_is_told_without_the_values_that_were_at_hand(kind: type[io.StringIO]) -> None:
    out = kind()
    log.configure("info", stream=out)

    def fail(address: str) -> None:
        raise ValueError(len(address))

    try:
        fail("reader@" + "example.org")
    except ValueError as exc:
        structlog.get_logger().error("feed could not be polled", exc_info=exc)
    assert "ValueError: 18" in out.getvalue()
    assert "reader@example.org" not in out.getvalue()


def test_a_line_is_one_json_object_with_its_level_and_time() -> None:
    out = io.StringIO()
    log.configure("info", stream=out)
    structlog.get_logger().info("feed fetched", feed="harbour", headline="a\nb")
    (line,) = out.getvalue().splitlines()
    told = json.loads(line)
    assert (told["event"], told["feed"], told["level"], told["headline"]) == ("feed fetched", "harbour", "info", "a\nb")
    assert told["timestamp"].endswith("Z")


def test_less_important_lines_than_asked_for_are_left_out() -> None:
    out = io.StringIO()
    log.configure("warning", stream=out)
    structlog.get_logger().info("feed fetched")
    structlog.get_logger().warning("feed held")
    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == ["feed held"]


def test_what_libraries_warn_about_comes_out_beside_ours() -> None:
    out = io.StringIO()
    log.configure("info", stream=out)
    logging.getLogger("somebody").warning("odd")
    logging.getLogger("somebody").info("chatty")
    assert "odd" in out.getvalue()
    assert "chatty" not in out.getvalue()
