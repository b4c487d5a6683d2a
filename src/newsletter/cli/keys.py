"""`newsletter keys`: what links are sealed with."""

from __future__ import annotations

from newsletter.cli.output import JsonOption, SiteOption, answer, group

keys = group("Change the key that links are sealed with.")


@keys.command()
def rotate(*, site: SiteOption = None, as_json: JsonOption = False) -> None:
    """Seal links with a new key from now on. Every link that was ever sent goes on working.

    The new key goes on top of var/site.key; the old ones stay below it, and must: they open old links and know which
    addresses are suppressed. Programs that are running read links of the new key at once, and make them when restarted.
    Do it when somebody may have seen a backup of the file. Copy var/site.key to where your backups are.

    Example: newsletter keys rotate
    """
    from newsletter.site import open_site

    opened = open_site(site)
    many = opened.add_key()
    lines = [f"{many} keys in var/site.key, the newest first: restart what runs, and copy the file to your backups"]
    answer({"keys": many}, as_json=as_json, lines=lines)
