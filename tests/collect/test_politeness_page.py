"""The page about politeness names a test for each rule: they are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "politeness.md").read_text("utf-8")
NAMED = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def test_every_rule_names_tests_that_exist() -> None:
    sources = {
        path.name: path.read_text("utf-8")
        for room in ("collect", "store")
        for path in (ROOT / "tests" / room).glob("test_*.py")
    }
    named = NAMED.findall(PAGE)
    assert len(named) == len(set(named)) > 40
    missing = [name for file, name in named if not re.search(rf"def {name}\(", sources.get(file, ""))]
    assert missing == []


def test_every_rule_names_a_test() -> None:
    rules = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| rule")]
    assert len(rules) > 25
    assert [rule for rule in rules if not NAMED.search(rule)] == []
