"""`dev.py translate`: finds the phrases in pages, code and mails, and brings the catalogues up to date."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

from babel.core import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from newsletter.language.catalogue import LANGUAGES, SOURCE, catalogue_file
from tools.places import ROOT

_PAGES = ROOT / "src" / "newsletter"
_WORDS = ROOT / "templates" / "email" / "words.toml"
_HEADER = r"""msgid ""
msgstr ""
"Language: {language}\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"
"Plural-Forms: {plurals}\n"

"""


def main() -> None:
    """Write every catalogue anew: what is new waits for a translation, what is gone goes."""
    found = phrases()
    for language in LANGUAGES[1:]:
        catalogue = read(language)
        catalogue.update(found, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        _write(catalogue, catalogue_file(language))
        missing = sum(not all(texts_of(each)) for each in catalogue if each.id)
        print(f"{language}: {len(catalogue)} phrases, {missing} without a translation")


def phrases() -> Catalog:
    """Every phrase that is there to be translated, with where it is used."""
    catalogue = Catalog()
    for path in _sources():
        for _, message, comments, context in extract_from_file(_method(path), path):
            catalogue.add(message, None, [(_told(path), 0)], auto_comments=comments, context=context)
    for phrase in tomllib.loads(_WORDS.read_text(encoding="utf-8"))[SOURCE].values():
        catalogue.add(phrase, None, [(_told(_WORDS), 0)])
    return catalogue


def read(language: str) -> Catalog:
    """The catalogue of a language as it is."""
    with catalogue_file(language).open("rb") as file:
        return read_po(file, locale=language)


def texts_of(message: Message) -> tuple[str, ...]:
    """A phrase's translations: one, or one for each of the language's plural forms."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))


def _sources() -> Iterator[Path]:
    yield from sorted(_PAGES.rglob("pages/*.html"))
    for path in sorted(_PAGES.rglob("*.py")):
        if "gettext(" in path.read_text(encoding="utf-8"):
            yield path


def _method(path: Path) -> str:
    return "jinja2.ext:babel_extract" if path.suffix == ".html" else "python"


def _told(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _write(catalogue: Catalog, path: Path) -> None:
    # Neither dates nor line numbers: they change with every edit and tell a translator nothing.
    assert isinstance(catalogue.locale, Locale)
    header = _HEADER.format(language=catalogue.locale.language, plurals=catalogue.plural_forms)
    with path.open("wb") as file:
        file.write(header.encode())
        write_po(file, catalogue, width=116, omit_header=True, sort_output=True, include_lineno=False)


if __name__ == "__main__":
    main()
