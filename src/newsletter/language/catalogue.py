"""Our own phrases in other languages: gettext catalogues, a `.po` file each, read as they are.

English is written where a phrase is used and needs no catalogue. `dev.py translate` brings the files up to date.
"""

from __future__ import annotations

from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

_FOLDER = Path(__file__).parent / "catalogues"
SOURCE = "en"
LANGUAGES = (SOURCE, *sorted(path.stem for path in _FOLDER.glob("*.po")))
"""Those our phrases are written in, English first."""


@lru_cache(maxsize=16)
def translations(language: str) -> NullTranslations:
    """The phrases of one of LANGUAGES; English for any other."""
    if language == SOURCE or language not in LANGUAGES:
        return NullTranslations()
    # A tenth of a second that English alone need not wait for.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = BytesIO()
    with catalogue_file(language).open("rb") as source:
        # In memory, so that nothing has to be built before it runs and no build can be out of date.
        write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


@lru_cache(maxsize=1)
def catalogue_bytes() -> bytes:
    """All of them, for telling whether any has changed."""
    return b"\0".join(catalogue_file(language).read_bytes() for language in LANGUAGES[1:])


def catalogue_file(language: str) -> Path:
    """Where the phrases of a language are."""
    return _FOLDER / f"{language}.po"


def nearest(tag: str) -> str | None:
    """The one of LANGUAGES that somebody who reads `tag` (BCP 47) reads: `de` for `de-AT`; None if there is none."""
    language = tag.strip().lower().replace("_", "-").partition("-")[0]
    return language if language in LANGUAGES else None
