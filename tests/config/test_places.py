"""Positions are right wherever TOML lets a key stand."""

import tomllib
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from newsletter.settings.places import Place, find_places

TEXT = """\
# a comment with [brackets] and = signs
a.b = 1
"q\\u0041 x" = "v # no comment" # a comment
'lit' = \"\"\"two
lines ""quoted\"\"\"\"\"
arr = [ # comment
  1, [2, 3],
  { x = 1, "y z".w = ['a'] }, ]
  when = 1979-05-27 07:32:00
[ tab . le ]
k=true
[[s]]
n = 1
[[s]]
n = 2
[s.sub]
z = ''
[[s.deep]]
w = '''x'''
[tab]
last = {}
"""


def test_every_key_stands_where_it_is_written() -> None:
    keys = find_places(TEXT).keys
    assert {".".join(map(str, path)): (place.line, place.column) for path, place in keys.items()} == {
        "a": (2, 1),
        "a.b": (2, 3),
        "qA x": (3, 1),
        "lit": (4, 1),
        "arr": (6, 1),
        "arr.2.x": (8, 5),
        "arr.2.y z": (8, 12),
        "arr.2.y z.w": (8, 18),
        "when": (9, 3),
        "tab": (20, 2),
        "tab.le": (10, 9),
        "tab.le.k": (11, 1),
        "s": (12, 3),
        "s.0.n": (13, 1),
        "s.1.n": (15, 1),
        "s.1.sub": (16, 4),
        "s.1.sub.z": (17, 1),
        "s.1.deep": (18, 5),
        "s.1.deep.0.w": (19, 1),
        "tab.last": (21, 1),
    }


def test_every_value_begins_where_it_is_written_and_a_table_at_its_header() -> None:
    places = find_places(TEXT)
    expected = {
        ("a", "b"): (2, 7),
        ("qA x",): (3, 15),
        ("lit",): (4, 9),
        ("arr", 1, 1): (7, 10),
        ("arr", 2): (8, 3),
        ("arr", 2, "y z", "w", 0): (8, 23),
        ("when",): (9, 10),
        ("tab", "le"): (10, 1),
        ("s", 1): (14, 1),
        ("s", 1, "deep", 0, "w"): (19, 5),
        ("tab", "last"): (21, 8),
    }
    assert {path: (place.line, place.column) for path, place in places.values.items() if path in expected} == expected


def test_a_missing_key_is_placed_at_the_header_of_its_table() -> None:
    places = find_places(TEXT)
    assert places.of_key(("s", 1, "name")) == Place(14, 1)
    assert places.of_key(("s", 1, "sub", "name", "first")) == Place(16, 1)
    assert places.of_key(("nowhere", "name")) == Place(1, 1)


def test_columns_count_characters_and_line_ends_may_have_two() -> None:
    places = find_places('"á" = "ü" # é\r\nb = 1\r\n')
    assert places.of_value(("á",)) == Place(1, 7)
    assert places.of_value(("b",)) == Place(2, 5)


names = st.text(min_size=1, max_size=6)
scalars = st.one_of(st.integers(), st.booleans(), st.text(max_size=12), st.floats(allow_nan=False))
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=8,
)


@given(st.dictionaries(names, trees, max_size=4))
def test_every_value_of_any_document_is_found_and_reads_the_same_from_there(document: dict[str, Any]) -> None:
    text = "".join(f"{_key(name)} = {_toml(value)}\n" for name, value in document.items())
    lines = text.split("\n")
    found = find_places(text).values
    for path, value in _leaves(tomllib.loads(text)):
        place = found[path]
        assert lines[place.line - 1][place.column - 1 :].startswith(_toml(value))


def _leaves(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(tree, dict | list):
        for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from _leaves(value, (*path, key))
    else:
        yield path, tree


def _key(name: str) -> str:
    return f'"{_escaped(name)}"'


def _escaped(text: str) -> str:
    return "".join(char if char.isprintable() and char not in '"\\' else f"\\U{ord(char):08x}" for char in text)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{_escaped(value)}"'
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(name)} = {_toml(inner)}" for name, inner in value.items()) + "}"
    return repr(value)
