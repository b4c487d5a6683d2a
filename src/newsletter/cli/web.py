"""`newsletter web`: the public pages alone."""

from __future__ import annotations

from newsletter.cli.output import JsonOption, SiteOption, answer, opened


def web(*, site: SiteOption = None, as_json: JsonOption = False) -> None:
    """Serve the public pages until stopped.

    Example: newsletter web --site my-site
    """
    import uvloop

    from newsletter import scheduler
    from newsletter.web.operator import operator_pages
    from newsletter.web.serve import pages

    with opened(site) as app, pages(app) as public, operator_pages(app) as operators:
        serve = tuple(each for each in (public, operators) if each is not None)
        uvloop.run(scheduler.run(app, scheduler.Role.WEB, serve=serve))
    answer({"role": "web", "stopped": True}, as_json=as_json, lines=[])
