"""`newsletter dkim`, and what `newsletter check` says of keys."""

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.cli.conftest import Run

KEYGEN = ("dkim", "keygen", "--domain", "news.example.org")


def configure(site: Path, *tables: str) -> None:
    config = site / "config.toml"
    config.write_text("\n".join((config.read_text(), *tables)))


def table_for(key_file: str, *, selector: str = "n1", domain: str = "news.example.org") -> str:
    return f'[[dkim]]\ndomain = "{domain}"\nselector = "{selector}"\nkey_file = "{key_file}"\n'


def secrets_of(path: Path) -> list[str]:
    return path.read_text().splitlines()[1:-1]


@pytest.mark.parametrize("algorithm", ["rsa", "ed25519"])
def test_a_made_key_needs_nothing_but_the_lines_that_are_printed(run: Run, site: Path, algorithm: str) -> None:
    made = run("--site", site, *KEYGEN, "--selector", "n1", "--algorithm", algorithm, "--json")
    assert (made.code, made.err) == (0, "")
    configure(site, made.document["config"])

    shown = run("--site", site, "dkim", "show", "--json")

    (key,) = shown.document["keys"]
    assert {name: value for name, value in made.document.items() if name != "config"} == key
    assert key["algorithm"] == algorithm
    assert key["name"] == "n1._domainkey.news.example.org"
    assert "".join(key["strings"]) == key["value"]
    assert run("--site", site, "check").code == 0


def test_for_a_person_record_zone_file_and_settings_are_printed(run: Run, site: Path) -> None:
    made = run("--site", site, *KEYGEN, "--selector", "N1")

    lines = made.out.splitlines()
    assert "  name   n1._domainkey.news.example.org" in lines
    assert "n1._domainkey.news.example.org. 3600 IN TXT (" in lines
    assert 'key_file = "keys/n1.pem"' in lines
    configure(site, *lines[lines.index("[[dkim]]") :])
    shown = run("--site", site, "dkim", "show")
    value = next(line for line in lines if line.startswith("  value  "))
    assert value in shown.out.splitlines()


def test_a_key_is_for_its_owner_alone_and_never_printed(run: Run, site: Path) -> None:
    made = run("--site", site, *KEYGEN, "--selector", "n1")

    path = site / "keys" / "n1.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert not [line for line in secrets_of(path) if line in made.out + made.err]


def test_a_key_is_never_written_over(run: Run, site: Path) -> None:
    run("--site", site, *KEYGEN, "--selector", "n1")
    path = site / "keys" / "n1.pem"
    before = path.read_text()

    again = run("--site", site, *KEYGEN, "--selector", "n1")

    assert again.code == 2
    assert "n1.pem: is there already and is not written over" in again.err
    assert path.read_text() == before
    assert os.listdir(path.parent) == ["n1.pem"]  # noqa: PTH208 hidden drafts count too


def test_a_key_may_be_written_elsewhere(run: Run, site: Path, tmp_path: Path) -> None:
    path = tmp_path / "elsewhere" / "key.pem"

    made = run("--site", site, *KEYGEN, "--selector", "n1", "--out", path, "--json")

    assert made.document["key_file"] == str(path)
    assert f'key_file = "{path}"' in made.document["config"]
    assert path.is_file()


@pytest.mark.parametrize("selector", ["../n1", "n 1", "", "n1."])
def test_a_selector_that_is_no_name_is_wrong_usage(run: Run, site: Path, selector: str) -> None:
    ran = run("--site", site, *KEYGEN, "--selector", selector)

    assert ran.code == 2
    assert "expected a domain name" in ran.err
    assert not (site / "keys").exists()


def test_a_site_without_keys_is_told_how_to_make_one(run: Run, site: Path) -> None:
    assert "newsletter dkim keygen" in run("--site", site, "dkim", "show").out
    assert run("--site", site, "dkim", "show", "--json").document == {"keys": []}


def test_a_key_that_cannot_sign_is_a_fault_with_its_place_and_nothing_of_it_is_shown(run: Run, site: Path) -> None:
    run("--site", site, *KEYGEN, "--selector", "n1")
    path = site / "keys" / "n1.pem"
    path.write_text(path.read_text()[:400] + "\n-----END PRIVATE KEY-----\n")
    configure(site, table_for("keys/n1.pem"))
    line = (site / "config.toml").read_text().splitlines().index('key_file = "keys/n1.pem"', 30) + 1

    for command in (("check",), ("send",), ("dkim", "show")):
        ran = run("--site", site, *command)
        assert ran.code == 2
        told = ran.out + ran.err
        assert f"config.toml:{line}:12: dkim.0.key_file: expected a private key in PEM: it is damaged" in told
        assert not [secret for secret in secrets_of(path) if secret in told]


def test_two_keys_at_one_name_in_the_dns_are_a_fault(run: Run, site: Path) -> None:
    run("--site", site, *KEYGEN, "--selector", "n1")
    configure(site, table_for("keys/n1.pem"), table_for("keys/n1.pem"))

    ran = run("--site", site, "check")

    assert ran.code == 2
    assert "dkim.1.selector: expected a selector for each key" in ran.out


def test_check_warns_of_what_works_but_not_well(run: Run, site: Path) -> None:
    weak = rsa.generate_private_key(65537, 1024)
    path = site / "weak.pem"
    path.write_bytes(weak.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o644)
    configure(site, table_for("weak.pem", domain="elsewhere.example"))

    ran = run("--site", site, "check")
    as_json = run("--site", site, "check", "--json")

    assert ran.code == 0
    warnings = [line for line in ran.out.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == len(as_json.document["warnings"]) == 3
    assert "RSA of 1024 bits" in warnings[0]
    assert f"chmod 600 {path}" in warnings[1]
    assert "no key's domain is news.example.org" in warnings[2]
    assert as_json.document["settings"]["dkim"][0]["pem"] == "…"


def test_check_warns_of_ed25519_alone_and_not_beside_rsa(run: Run, site: Path) -> None:
    for selector, algorithm in (("e1", "ed25519"), ("n1", "rsa")):
        run("--site", site, *KEYGEN, "--selector", selector, "--algorithm", algorithm)

    configure(site, table_for("keys/e1.pem", selector="e1"))
    assert "only Ed25519" in run("--site", site, "check").out
    configure(site, table_for("keys/n1.pem"))
    assert "warning" not in run("--site", site, "check").out
