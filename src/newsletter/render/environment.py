"""The door to Jinja2: a sandbox that reads the site's own templates first and the starter's where it lacks one."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from newsletter.errors import TemplateError
from newsletter.language.catalogue import LANGUAGES, SOURCE, catalogue_bytes, translations
from newsletter.render.filters import FILTERS
from newsletter.render.sheets import sheet_fault, template_fault

_SHOWN_AS = "templates/email/"
_LONGEST_OUTPUT = 4_000_000
_LONGEST_RANGE = 1_000
_LONGEST_PRODUCT = 10_000

# What running somebody's template may raise besides Jinja's own: the operators and methods of plain values.
_RUN_ERRORS = (
    jinja2.TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    RecursionError,
)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox guards attributes and `range`; `"x" * 10**9` would still eat the machine."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**":
            raise SecurityError("** is not available in templates")
        sized = next((side for side in (left, right) if hasattr(side, "__len__")), None)
        if sized is not None and len(sized) * (right if sized is left else left) > _LONGEST_PRODUCT:
            raise SecurityError("a repetition longer than 10,000")
        return super().call_binop(context, operator, left, right)


class _Unknown(jinja2.StrictUndefined):
    """A name that is not there. What templates are given is told by the words for it, not by Python's class."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        value, name = self._undefined_obj, self._undefined_name
        if self._undefined_hint or not is_dataclass(value) or not isinstance(name, str):
            return super()._undefined_message
        known = sorted(each for each in dir(value) if not each.startswith("_"))
        close = get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(known)}"
        return f"{type(value).__name__.removesuffix('View').lower()} has no {name!r}, {hint}"


class Templates:
    """Mail templates of a site. `folders` are tried in order: the site's `templates/email`, then the starter's."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = tuple(folders)
        # Text templates are not escaped: what goes into them was made one line of plain text before.
        self._env = _Sandbox(
            loader=jinja2.FileSystemLoader(self.folders),
            undefined=_Unknown,
            autoescape=lambda name: name is not None and name.endswith(".html"),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._env.filters.update(FILTERS)
        self._env.globals.pop("lipsum")
        self._env.globals["range"] = _short_range
        self._env.globals["css"] = self._css

    def render(self, name: str, context: Mapping[str, Any]) -> str:
        """The template `name` (such as `digest/body.html`) filled in, or TemplateError with its line."""
        return self._run(lambda: self._env.get_template(name), context, name=_SHOWN_AS + name)

    def render_setting(self, source: str, context: Mapping[str, Any], *, key: str) -> str:
        """A template that stands in the settings (plain text), with `key` as its name in errors."""
        return self._run(lambda: self._env.from_string(source), context, name=key)

    def words(self, language: str) -> dict[str, str]:
        """The fixed phrases of the templates in a language, each from English where it is missing."""
        tables = [_phrases(folder / "words.toml") for folder in reversed(self.folders)]
        words: dict[str, str] = {}
        # From the least to the most particular, so that what a site says in its own language wins.
        for tag in dict.fromkeys((SOURCE, language.split("-", 1)[0], language)):
            words |= _translated(tables[0].get(SOURCE, {}), tag)
            for table in tables:
                words |= table.get(tag, {})
        return words

    def languages(self) -> frozenset[str]:
        """The languages that the templates' phrases are written in, by us or by the site."""
        return frozenset((*LANGUAGES, *(tag for folder in self.folders for tag in _phrases(folder / "words.toml"))))

    def fingerprint(self, kind: str) -> str:
        """A hash over every source that a kind of mail (`digest`, `welcome` …) can be made from."""
        digest = hashlib.sha256(catalogue_bytes())
        for name in self._names(kind):
            digest.update(f"{name}\0".encode() + self._bytes(name) + b"\0")
        return digest.hexdigest()

    def faults(self) -> tuple[str, ...]:
        """Templates, style sheets and phrases that do not even parse, a line each."""
        found: list[str] = []
        for name in self._names("*"):
            try:
                self._parsed(name)
            except TemplateError as error:
                found.append(str(error))
        return tuple(found)

    def _parsed(self, name: str) -> None:
        if name.endswith((".html", ".txt")):
            try:
                self._env.get_template(name)
            except _RUN_ERRORS as exc:
                raise self._located(exc, _SHOWN_AS + name) from exc
        if name.endswith((".html", ".css")):
            source = self._bytes(name).decode(errors="replace")
            if (fault := (sheet_fault if name.endswith(".css") else template_fault)(source)) is not None:
                raise TemplateError(_SHOWN_AS + name, fault[1], line=fault[0])
        elif name == "words.toml":
            self.words("en")

    def _names(self, kind: str) -> tuple[str, ...]:
        found = {
            path.relative_to(folder).as_posix()
            for folder in self.folders
            for path in (*folder.glob("*.*"), *folder.glob(f"{kind}/*.*"))
            if path.is_file()
        }
        return tuple(sorted(found))

    def _bytes(self, name: str) -> bytes:
        files = [folder / name for folder in self.folders if (folder / name).is_file()]
        # Phrases are laid over one another; of anything else the first file is the one that counts.
        chosen = files if name == "words.toml" else files[:1]
        return b"\0".join(path.read_bytes() for path in chosen)

    def _css(self, name: str) -> Markup:
        try:
            source = self._env.loader.get_source(self._env, name)[0]  # type: ignore[union-attr]
        except jinja2.TemplateNotFound as exc:
            raise TemplateError(_SHOWN_AS + name, "no such style sheet") from exc
        # Style sheets are the editors' own files; escaping would break `>` in a selector.
        return Markup(_compact(source))  # noqa: S704

    def _run(self, load: Callable[[], jinja2.Template], context: Mapping[str, Any], *, name: str) -> str:
        try:
            return _joined(load().generate(**context), name)
        except _RUN_ERRORS as exc:
            raise self._located(exc, name) from exc

    def _located(self, error: Exception, name: str) -> TemplateError:
        because = str(error) or type(error).__name__
        if isinstance(error, jinja2.TemplateSyntaxError):
            where = _SHOWN_AS + error.name if error.name else name
            return TemplateError(where, error.message or because, line=error.lineno)
        if isinstance(error, jinja2.TemplateNotFound):
            because = f"no template named {error.name!r} in the site or the starter"
        found = self._deepest(error.__traceback__)
        return TemplateError(found[0] or name, because, line=found[1]) if found else TemplateError(name, because)

    def _deepest(self, trace: TracebackType | None) -> tuple[str | None, int] | None:
        """The innermost line of a template in a traceback: Jinja gives its frames the template's own file names."""
        found: tuple[str | None, int] | None = None
        while trace is not None:
            file = trace.tb_frame.f_code.co_filename
            if file == "<template>":
                found = None, trace.tb_lineno
            for folder in self.folders:
                if Path(file).is_relative_to(folder):
                    found = _SHOWN_AS + Path(file).relative_to(folder).as_posix(), trace.tb_lineno
            trace = trace.tb_next
        return found


def _short_range(*bounds: int) -> range:
    numbers = range(*bounds)
    if len(numbers) > _LONGEST_RANGE:
        raise SecurityError("a range longer than 1,000")
    return numbers


def _joined(chunks: Any, name: str) -> str:
    kept: list[str] = []
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > _LONGEST_OUTPUT:
            raise TemplateError(name, "writes more than 4 MB")
        kept.append(chunk)
    return "".join(kept)


@cache
def _parsed_phrases(path: Path, _changed: float) -> dict[str, dict[str, str]]:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise TemplateError(_SHOWN_AS + path.name, str(exc)) from exc
    for language, table in tables.items():
        if not isinstance(table, dict) or not all(isinstance(phrase, str) for phrase in table.values()):
            raise TemplateError(_SHOWN_AS + path.name, f'[{language}]: expected name = "phrase" lines')
    return tables


def _translated(phrases: Mapping[str, str], language: str) -> dict[str, str]:
    """Those of our own phrases that the catalogue of this very language has."""
    found = ((name, translations(language).gettext(phrase)) for name, phrase in phrases.items())
    return {name: phrase for name, phrase in found if phrase != phrases[name]}


def _phrases(path: Path) -> dict[str, dict[str, str]]:
    return _parsed_phrases(path, path.stat().st_mtime) if path.is_file() else {}


_COMMENTS = re.compile(r"/\*.*?\*/", re.DOTALL)
_AROUND = re.compile(r"\s*([{};,])\s*")


def _compact(css: str) -> str:
    """A style sheet without its comments and needless blanks: they would travel with every message."""
    return _AROUND.sub(r"\1", re.sub(r"\s+", " ", _COMMENTS.sub("", css))).replace(";}", "}").strip()
