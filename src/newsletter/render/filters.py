"""Filters that templates may use besides Jinja's own. docs/templates.md explains them to editors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from newsletter.language.tags import written_date
from newsletter.model.links import safe_url
from newsletter.render.wrapping import wrapped

_HOLES = re.compile(r"\{([a-z]+)\}")


@pass_context
def _date(context: Context, day: date, form: str = "full") -> str:
    return written_date(day, language=context["publication"].language, form=form)


def _url(url: str) -> str:
    return safe_url(str(url))


def _wrap(text: str, width: int = 72, *, first: str = "", rest: str | None = None) -> str:
    return wrapped(str(text), width=width, first=first, rest=first if rest is None else rest)


@pass_context
def _fill(context: Context, phrase: str, **values: Any) -> str | Markup:
    """`phrase` with its {names} filled in; in an HTML template each value is escaped unless it is markup itself."""
    # One pass: a partner who calls itself "{list}" is not filled in again.
    if not context.eval_ctx.autoescape:
        return _HOLES.sub(lambda hole: str(values[hole[1]]), phrase)
    # Both the phrase and the values are escaped here, so the result is safe.
    return Markup(_HOLES.sub(lambda hole: str(escape(values[hole[1]])), str(escape(phrase))))  # noqa: S704


FILTERS: Mapping[str, Callable[..., Any]] = {"date": _date, "url": _url, "wrap": _wrap, "fill": _fill}
