"""Trying out every template before there is news: what `newsletter check` says about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from newsletter.errors import TemplateError
from newsletter.model.message import LetterKind
from newsletter.model.publication import Digest, MailingList, Publication
from newsletter.render.environment import Templates
from newsletter.render.render import digest_context, letter_context, render_digest, render_letter
from newsletter.render.samples import NONCE, arabic_draft, hostile_draft, plain_draft

_Context = Callable[[], dict[str, Any]]


def check_templates(
    templates: Templates,
    publication: Publication,
    *,
    mailing_lists: Iterable[MailingList],
    digests: Iterable[Digest],
) -> tuple[str, ...]:
    """Everything wrong with the templates, a line each: `file:line: what`.

    Sample editions and all letters are rendered. One sample is Arabic and one tries to break out of wherever it is put,
    so that a template which trusts what feeds say is found before a feed finds it.
    """
    lists = {mailing_list.id: mailing_list for mailing_list in mailing_lists}
    trials = [*_letter_trials(templates, publication, lists.values())]
    for digest in digests:
        if digest.list_id in lists:
            trials += _digest_trials(templates, publication, lists[digest.list_id], digest)
    faults = [*templates.faults(), *(fault for trial in trials for fault in _fault_of(trial))]
    # One broken file is found once by itself and again by every mail that it is part of.
    return tuple(dict.fromkeys(faults))


def _fault_of(trial: Callable[[], object]) -> Iterator[str]:
    try:
        trial()
    except TemplateError as error:
        yield str(error)


def _digest_trials(
    templates: Templates, publication: Publication, mailing_list: MailingList, digest: Digest
) -> Iterator[Callable[[], object]]:
    for draft in (
        plain_draft(publication, mailing_list, digest),
        arabic_draft(publication, mailing_list, digest),
        hostile_draft(NONCE, publication, mailing_list, digest),
    ):
        yield partial(render_digest, draft, NONCE, templates=templates)
        yield from _parts("digest", partial(digest_context, draft, NONCE, templates=templates), templates)


def _letter_trials(
    templates: Templates, publication: Publication, mailing_lists: Iterable[MailingList]
) -> Iterator[Callable[[], object]]:
    for mailing_list in mailing_lists:
        for kind in LetterKind:
            yield partial(render_letter, kind, publication, mailing_list, NONCE, templates=templates)
            context = partial(letter_context, publication, mailing_list, NONCE, templates=templates)
            yield from _parts(kind.value, context, templates)


def _parts(kind: str, context: _Context, templates: Templates) -> Iterator[Callable[[], object]]:
    """Each part of a mail by itself, since a mail is given up at the first that fails."""
    for name in ("subject.txt", "body.html", "body.txt"):
        yield partial(_part, f"{kind}/{name}", context, templates)


def _part(name: str, context: _Context, templates: Templates) -> None:
    templates.render(name, context() | {"subject": "A subject"})
