"""`newsletter dkim`: keys that mail is signed with, and what the DNS must say about them."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsletter.cli.output import JsonOption, SiteOption, answer, group

if TYPE_CHECKING:
    from newsletter.deliver.dkimkeys import PrivateKey, Record

dkim = group("Make keys that mail is signed with, and show their DNS records.")


class KeyAlgorithm(StrEnum):
    RSA = "rsa"
    ED25519 = "ed25519"


def _name(text: str) -> str:
    from newsletter.settings.kinds import domain_fault

    if fault := domain_fault(text):
        raise typer.BadParameter(fault)
    return text.lower()


@dkim.command()
def keygen(
    *,
    domain: Annotated[str, typer.Option("--domain", callback=_name, help="That of `from`, or a parent of it.")],
    selector: Annotated[str, typer.Option("--selector", callback=_name, help="A new name for each key, such as n1.")],
    algorithm: Annotated[
        KeyAlgorithm, typer.Option("--algorithm", help="rsa (2048 bits), which everybody verifies, or ed25519.")
    ] = KeyAlgorithm.RSA,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to write; keys/SELECTOR.pem of the site.")
    ] = None,
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a new private key, and print its DNS record and the lines for config.toml.

    A key that is there already is never written over.

    Example: newsletter dkim keygen --domain news.example.org --selector n1
    """
    from newsletter.deliver.dkimkeys import Algorithm, Record, new_key, read_key
    from newsletter.site import site_folder

    folder = site_folder(site)
    path = (out or folder / "keys" / f"{selector}.pem").absolute()
    pem = new_key(Algorithm(algorithm))
    _write_new(path, pem)
    key_file = path.relative_to(folder) if path.is_relative_to(folder) else path
    key, config = read_key(pem), _config_lines(domain, selector, key_file.as_posix())
    record = Record.of(key, domain=domain, selector=selector)
    document = _document(key, record, domain=domain, selector=selector, path=path) | {"config": "\n".join(config)}
    lines = (
        f"The private key is in {path}, for its owner alone.",
        *_record_lines(record),
        "and these lines into config.toml, once the DNS shows the record:",
        "",
        *config,
    )
    answer(document, as_json=as_json, lines=lines)


@dkim.command()
def show(*, site: SiteOption = None, as_json: JsonOption = False) -> None:
    """Show the DNS records of all keys in config.toml.

    Example: newsletter dkim show --json
    """
    from newsletter.deliver.dkimkeys import Record, read_key
    from newsletter.site import open_site

    documents: list[dict[str, Any]] = []
    lines: list[str] = []
    for each in open_site(site).settings.dkim:
        key = read_key(each.pem.reveal())
        record = Record.of(key, domain=each.domain, selector=each.selector)
        documents.append(_document(key, record, domain=each.domain, selector=each.selector, path=each.key_file))
        lines += (f"{each.key_file} ({key.algorithm}, {key.bits} bits)", *_record_lines(record))
    none = ["There is no [[dkim]] in config.toml: `newsletter dkim keygen` makes a key."]
    answer({"keys": documents}, as_json=as_json, lines=lines or none)


def _write_new(path: Path, pem: str) -> None:
    """A file for its owner alone, whole or not there at all; SiteError if there is one or it cannot be written."""
    from newsletter.errors import SiteError

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.") as draft:
            draft.write(pem)
            draft.flush()
            path.hardlink_to(draft.name)
    except FileExistsError as error:
        raise SiteError(str(error.filename2 or path), because="is there already and is not written over") from None
    except OSError as error:
        raise SiteError(str(path), because=f"cannot be written: {error.strerror}") from error


def _config_lines(domain: str, selector: str, key_file: str) -> tuple[str, ...]:
    import json

    # A JSON string is a TOML string too, also with quotes or backslashes in a path.
    return ("[[dkim]]", f'domain = "{domain}"', f'selector = "{selector}"', f"key_file = {json.dumps(key_file)}")


def _record_lines(record: Record) -> Iterator[str]:
    yield from ("", "TXT record for the DNS:", "", f"  name   {record.name}", f"  value  {record.value}", "")
    yield from ("the same in a zone file:", "", *record.zone_lines, "")


def _document(key: PrivateKey, record: Record, *, domain: str, selector: str, path: Path) -> dict[str, Any]:
    return {
        "domain": domain,
        "selector": selector,
        "algorithm": key.algorithm,
        "bits": key.bits,
        "key_file": path,
        "name": record.name,
        "value": record.value,
        "strings": record.strings,
        "zone": "\n".join(record.zone_lines),
    }
