"""From an edition to the documents of its message, once for all readers.

Templates are filled in, styles inlined, the result checked. What differs between readers stays a placeholder; `merge`
puts their values in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lxml.etree import LxmlError

from newsletter.errors import TemplateError
from newsletter.language.tags import direction_of
from newsletter.model.edition import Draft, Rendered
from newsletter.model.message import LetterKind
from newsletter.model.publication import MailingList, Publication
from newsletter.model.text import one_line
from newsletter.render.environment import Templates
from newsletter.render.faults import page_faults, placeholder_faults
from newsletter.render.inline import inlined
from newsletter.render.plain import Cleaner
from newsletter.render.preheader import preheader_of
from newsletter.render.recipient import FIELDS
from newsletter.render.transfer import encoded_bytes
from newsletter.render.views import edition_view, fields_of, list_view, publication_view, section_views

SUBJECT_LIMIT = 160
"""Characters. Lists of mails show about sixty; much more is a mistake or an attack."""

_DIGEST = "digest"
_NEEDED: Mapping[str, tuple[str, ...]] = {
    _DIGEST: ("unsubscribe",),
    LetterKind.CONFIRMATION: ("confirm",),
    LetterKind.WELCOME: ("unsubscribe",),
    LetterKind.GOODBYE: (),
    LetterKind.MOVE_FROM: ("confirm",),
    LetterKind.MOVE_TO: ("confirm",),
}


def render_digest(draft: Draft, nonce: str, *, templates: Templates) -> Rendered:
    """The documents of an edition. TemplateError names file and line where a template cannot be used."""
    context = digest_context(draft, nonce, templates=templates)
    key = f"config.toml: [digests.{draft.digest.id}] subject"
    context["subject"] = _subject(templates.render_setting(draft.digest.subject, context, key=key))
    return _rendered(_DIGEST, context, templates=templates, nonce=nonce)


def digest_context(draft: Draft, nonce: str, *, templates: Templates) -> dict[str, Any]:
    """What the templates of a digest are given, all but the subject."""
    clean = Cleaner(nonce)
    sections = section_views(draft, clean, words=templates.words)
    pieces = tuple(piece for section in sections for piece in section.pieces)
    return _shared(draft.publication, draft.mailing_list, templates, clean) | {
        "digest": {"id": draft.digest.id, "title": clean.line(draft.digest.title)},
        "edition": edition_view(draft),
        "sections": sections,
        "pieces": pieces,
        "lead": next(iter(pieces), None),
        "preheader": preheader_of(pieces),
    }


def render_letter(
    kind: LetterKind, publication: Publication, mailing_list: MailingList, nonce: str, *, templates: Templates
) -> Rendered:
    """The documents of a single mail: confirmation, welcome or goodbye. The same for everybody on the list."""
    context = letter_context(publication, mailing_list, nonce, templates=templates)
    return _rendered(kind.value, context, templates=templates, nonce=nonce)


def letter_context(
    publication: Publication, mailing_list: MailingList, nonce: str, *, templates: Templates
) -> dict[str, Any]:
    """What the templates of a letter are given, all but the subject."""
    return _shared(publication, mailing_list, templates, Cleaner(nonce)) | {"preheader": ""}


def _shared(
    publication: Publication, mailing_list: MailingList, templates: Templates, clean: Cleaner
) -> dict[str, Any]:
    right_to_left = direction_of(publication.language).value == "rtl"
    return {
        "publication": publication_view(publication, clean),
        "mailing_list": list_view(mailing_list, publication, clean),
        "fields": fields_of(clean.nonce),
        "words": templates.words(publication.language),
        "start": "right" if right_to_left else "left",
        "end": "left" if right_to_left else "right",
    }


def _rendered(kind: str, context: dict[str, Any], *, templates: Templates, nonce: str) -> Rendered:
    subject = _subject(templates.render(f"{kind}/subject.txt", context))
    warnings: tuple[str, ...] = ()
    if not subject:
        # An empty headline must not stop an edition.
        subject = context["mailing_list"].title
        warnings = ("the subject was empty: the list's title stands in for it",)
    context["subject"] = subject
    page = _page(templates.render(f"{kind}/body.html", context), nonce=nonce, name=f"{kind}/body.html")
    text = _tidy(templates.render(f"{kind}/body.txt", context))
    _check(kind, page, text, nonce=nonce)
    if nonce in subject:
        raise TemplateError(f"templates/email/{kind}/subject.txt", "a subject is the same for all readers")
    return Rendered(
        subject=subject,
        html=page,
        text=text,
        preheader=context["preheader"],
        nonce=nonce,
        fields=tuple(field for field in FIELDS if nonce + field in page + text),
        html_bytes=encoded_bytes(page),
        template_hash=templates.fingerprint(kind),
        warnings=warnings,
    )


def _subject(text: str) -> str:
    return one_line(text, limit=SUBJECT_LIMIT)


def _page(page: str, *, nonce: str, name: str) -> str:
    try:
        finished = inlined(page)
    except (LxmlError, ValueError) as exc:
        raise TemplateError(f"templates/email/{name}", f"no page that styles can be put into: {exc}") from exc
    _refuse(page_faults(finished, nonce=nonce), f"templates/email/{name}")
    return finished


def _check(kind: str, page: str, text: str, *, nonce: str) -> None:
    needed = _NEEDED[kind]
    html_faults = placeholder_faults(page, nonce=nonce, name="HTML", needed=needed)
    _refuse(html_faults, f"templates/email/{kind}/body.html")
    text_faults = placeholder_faults(text, nonce=nonce, name="text", needed=needed)
    _refuse(text_faults, f"templates/email/{kind}/body.txt")


def _refuse(faults: Iterable[str], name: str) -> None:
    if faults:
        raise TemplateError(name, "; ".join(faults))


def _tidy(text: str) -> str:
    """A text part without blanks at line ends and with at most one empty line in a row."""
    lines: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        kept = line.rstrip()
        if kept or (lines and lines[-1]):
            lines.append(kept)
    return "\n".join(lines).strip("\n") + "\n"
