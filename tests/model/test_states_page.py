"""The drawings in docs/states.md and the tables of moves are the same."""

import re
from enum import StrEnum
from pathlib import Path

import pytest

from newsletter.model.delivery import DELIVERY_MOVES
from newsletter.model.edition import EDITION_MOVES
from newsletter.model.hub import HUB_MOVES
from newsletter.model.item import ITEM_MOVES
from newsletter.model.moves import Moves
from newsletter.model.subscriber import SUBSCRIPTION_MOVES

PAGE = (Path(__file__).parents[2] / "docs" / "states.md").read_text(encoding="utf-8")
DRAWING = re.compile(r"^## An? ([\w ]+)\n.*?```mermaid\nstateDiagram-v2\n(.*?)```", re.MULTILINE | re.DOTALL)
DRAWINGS = dict(DRAWING.findall(PAGE))
ARROW = re.compile(r"^    (\S+) --> (\S+?)(?:: (.+))?$")
ALIAS = re.compile(r'^    state "(\S+)" as (\S+)$')
TABLES: dict[str, Moves[StrEnum]] = {
    moves.noun: moves  # type: ignore[misc]  # each table has an enum of its own
    for moves in (DELIVERY_MOVES, EDITION_MOVES, HUB_MOVES, ITEM_MOVES, SUBSCRIPTION_MOVES)
}


def arrows(noun: str) -> list[tuple[str, str, str]]:
    lines = DRAWINGS[noun].splitlines()
    names = {found[2]: found[1] for line in lines if (found := ALIAS.match(line))}
    drawn = [found.groups(default="") for line in lines if (found := ARROW.match(line))]
    assert len(drawn) + len(names) == len(lines), "a line that is neither an arrow nor a name"
    return [(names.get(before, before), names.get(after, after), why) for before, after, why in drawn]


def test_every_noun_with_states_is_drawn() -> None:
    assert DRAWINGS.keys() == TABLES.keys()


@pytest.mark.parametrize("noun", TABLES)
def test_every_arrow_is_a_move_and_every_move_an_arrow(noun: str) -> None:
    drawn = {(before, after) for before, after, _ in arrows(noun) if "[*]" not in {before, after}}
    allowed = {(str(before), str(after)) for before, nexts in TABLES[noun].table.items() for after in nexts}
    assert drawn == allowed


@pytest.mark.parametrize("noun", TABLES)
def test_every_arrow_says_why(noun: str) -> None:
    assert all(why for _, after, why in arrows(noun) if after != "[*]")


@pytest.mark.parametrize("noun", TABLES)
def test_a_state_is_drawn_as_final_if_nothing_leads_out_of_it(noun: str) -> None:
    table = TABLES[noun].table
    states = type(next(iter(table)))
    final = {before for before, after, _ in arrows(noun) if after == "[*]"}
    assert final == {str(state) for state in states if not table.get(state)}


@pytest.mark.parametrize("noun", TABLES)
def test_every_state_can_be_reached(noun: str) -> None:
    states = type(next(iter(TABLES[noun].table)))
    assert {after for _, after, _ in arrows(noun)} - {"[*]"} == {str(state) for state in states}
