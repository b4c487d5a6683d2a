"""`newsletter check`: everything that can be found wrong without going outside."""

from __future__ import annotations

from pathlib import Path
from stat import S_IROTH
from typing import TYPE_CHECKING

from newsletter.cli.output import ExitCode, JsonOption, SiteOption, answer, leave

if TYPE_CHECKING:
    from newsletter.model.settings import Settings
    from newsletter.site import Site


def check(*, site: SiteOption = None, as_json: JsonOption = False) -> None:
    """Check settings, feeds' files, templates (rendered with sample data) and the store; report all faults at once.

    Each fault is a line: file:line:column: key: rule (got …). What works but could be better is a warning and no
    fault. With --json the settings are shown too, without secrets.

    Example: newsletter check --site my-site
    """
    from newsletter.errors import SettingsError
    from newsletter.site import open_site, site_folder

    settings = None
    folder = site_folder(site)
    try:
        opened = open_site(folder)
        settings, faults = opened.settings, (*_template_faults(opened), *_store_faults(opened))
    except SettingsError as error:
        # Without settings nothing can be rendered, but templates can be read.
        faults = (*error.faults, *_syntax_faults(folder))
    warnings = _dkim_warnings(settings) if settings else ()
    document = {"site": str(folder), "faults": faults, "warnings": warnings, "settings": settings}
    lines = (*_lines(settings, faults), *(f"warning: {warning}" for warning in warnings))
    answer(document, as_json=as_json, lines=lines)
    if faults:
        leave(ExitCode.USAGE)


def _template_faults(site: Site) -> tuple[str, ...]:
    from newsletter.render.check import check_templates
    from newsletter.render.environment import Templates

    return check_templates(
        Templates(site.template_folders),
        site.settings.publication,
        mailing_lists=site.settings.lists,
        digests=site.settings.digests,
    )


def _syntax_faults(folder: Path) -> tuple[str, ...]:
    from newsletter.render.environment import Templates
    from newsletter.site import template_folders

    return Templates(template_folders(folder)).faults()


def _store_faults(site: Site) -> tuple[str, ...]:
    from newsletter.errors import StoreError
    from newsletter.store.databases import check_file
    from newsletter.store.schema import schema_state

    if fault := schema_state(site.settings.store_url.reveal(), site_dir=site.folder):
        return (f"store: {fault}",)
    try:
        check_file(site.folder / "var" / "newsletter.lock")  # beside it: keys, journals, what else a site keeps
    except StoreError as error:
        return (f"var: {error}",)
    return ()


def _dkim_warnings(settings: Settings) -> tuple[str, ...]:
    if not settings.dkim:
        return ()
    from newsletter.deliver.dkim import is_aligned
    from newsletter.deliver.dkimkeys import read_key, weaknesses, weaknesses_together
    from newsletter.render.headers import header_address

    keys = [read_key(each.pem.reveal()) for each in settings.dkim]
    found = [f"dkim.{index}: {weak}" for index, key in enumerate(keys) for weak in weaknesses(key)]
    found += [
        f"dkim.{index}.key_file: everybody on this machine may read it: chmod 600 {each.key_file}"
        for index, each in enumerate(settings.dkim)
        if each.key_file.stat().st_mode & S_IROTH
    ]
    found += [f"dkim: {weak}" for weak in weaknesses_together([key.algorithm for key in keys])]
    sender_domain = header_address(settings.publication.sender.address).rpartition("@")[2]
    if not any(is_aligned(each.domain, sender_domain) for each in settings.dkim):
        found.append(f"dkim: no key's domain is {sender_domain} or a parent of it, so none may count for DMARC")
    return tuple(f"config.toml: {each}" for each in found)


def _lines(settings: Settings | None, faults: tuple[str, ...]) -> tuple[str, ...]:
    if faults or settings is None:
        return faults
    counts = (
        f"{len(found)} {noun}{'' if len(found) == 1 else 's'}"
        for noun, found in (
            ("feed", settings.feeds),
            ("list", settings.lists),
            ("digest", settings.digests),
            ("relay", settings.relays),
        )
    )
    return (f"no faults: {', '.join(counts)}; templates and store are fine",)
