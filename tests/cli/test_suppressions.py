"""`newsletter suppressions`, on a real store."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run

ANN = "ann@example.org"


def add_ann(run: Run, site: Path, *, code: int) -> str:
    ran = run("subscribers", "add", ANN, "--site", site, "--confirmed", "--source", "in person")
    assert ran.code == code
    return ran.out


def test_an_address_is_suppressed_listed_and_let_go_with_reasons(run: Run, site: Path) -> None:
    add_ann(run, site, code=0)
    added = run("suppressions", "add", ANN, "--reason", "wrote us a letter", "--site", site, "--json")
    assert added.document == {"suppressed": ANN, "new": True}
    (row,) = run("suppressions", "list", "--site", site, "--json").document["suppressions"]
    assert (row["address"], row["kind"], row["reason"]) == (ANN, "objection", "wrote us a letter")
    assert "objection  ann@example.org  wrote us a letter" in run("suppressions", "list", "--site", site).out
    text = run("subscribers", "show", ANN, "--site", site).out
    assert "active to suppressed, suppression: wrote us a letter" in text

    lifted = run("suppressions", "lift", ANN, "--reason", "and another one", "--site", site)

    assert (lifted.code, lifted.out) == (0, "lifted, it was: objection\n")
    assert add_ann(run, site, code=1) == "1 had left, not brought back\n"
    assert run("suppressions", "lift", ANN, "--reason", "again", "--site", site).code == 1


def test_a_domain_is_suppressed_by_a_rule(run: Run, site: Path) -> None:
    command = ("suppressions", "add", "*.Example.ORG", "--reason", "their wish", "--site", site, "--json")
    assert run(*command).document == {"suppressed": "*.example.org", "new": True}
    run("suppressions", "add", "example.org", "--reason", "their wish", "--site", site)
    assert add_ann(run, site, code=1) == "1 suppressed, not added\n"
    rows = run("suppressions", "list", "--site", site, "--json").document["suppressions"]
    assert [(row["key"], row["kind"]) for row in rows] == [("*.example.org", "domain"), ("example.org", "domain")]
    assert run("suppressions", "lift", "example.org", "--reason", "", "--site", site).out == "lifted, it was: domain\n"
    assert add_ann(run, site, code=0) == "1 added\n"


@pytest.mark.parametrize(
    "whom", ["example", "*.", "*", "exa mple.org", "-x.org", "*.*.org", "a..org", "x" * 300 + ".org"]
)
def test_what_is_neither_an_address_nor_a_domain_is_wrong_usage(run: Run, site: Path, whom: str) -> None:
    ran = run("suppressions", "add", whom, "--reason", "x", "--site", site)
    assert (ran.code, ran.out) == (2, "")
