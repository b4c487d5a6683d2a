"""How well pieces are recognised: no false merge in the set, and no mutation recognised less often than it is now.

`python -m tests.collect.test_mutations` prints the table.
"""

import sys
from functools import cache

import pytest

from tests.collect.makers import Memory
from tests.collect.mutations import Mutation, Piece, Score, Truth, archive, features, mutations, pieces, scored

SETS = {"pieces": pieces, "features": features}
MUTATIONS = {f"{mutation.truth}, {mutation.name}": mutation for mutation in mutations()}


@cache
def stored(which: str) -> tuple[tuple[Piece, ...], Memory]:
    written = SETS[which]()
    return written, archive(written)


def score_of(mutation: Mutation, which: str) -> Score:
    return scored(mutation, *stored(which))


def test_the_set_is_large_and_varied() -> None:
    written = pieces()
    assert len(written) >= 40
    assert len({piece.topic for piece in written}) >= 8
    assert sum(piece.topic == "arabic" for piece in written) >= 4
    assert sum(kind == "again" for piece in written for kind, _, _ in piece.others) >= 10


@pytest.mark.parametrize("which", SETS)
@pytest.mark.parametrize("name", MUTATIONS)
def test_nothing_is_taken_for_what_it_is_not(name: str, which: str) -> None:
    assert score_of(MUTATIONS[name], which).false == []


@pytest.mark.parametrize("which", SETS)
@pytest.mark.parametrize("name", MUTATIONS)
def test_what_is_recognised_goes_on_being_recognised(name: str, which: str) -> None:
    mutation = MUTATIONS[name]
    score = score_of(mutation, which)
    assert score.recall >= (mutation.floor if which == "pieces" else mutation.floor_of_features)


def table() -> str:
    """Precision over the set, and the recall of each mutation: of short pieces, and of articles of a usual length."""
    scores = {name: [score_of(mutation, which) for which in SETS] for name, mutation in MUTATIONS.items()}
    lines = [
        f"{name:72} " + "  ".join(f"{one.recall:5.2f} of {one.tried:2}" if one.tried else " " * 11 for one in both)
        for name, both in scores.items()
    ]
    merged = [
        one for name, both in scores.items() for one in both if MUTATIONS[name].truth is not Truth.OTHER or one.false
    ]
    found, false = sum(one.recognised for one in merged), sum(len(one.false) for one in merged)
    return "\n".join([*lines, f"precision {found / (found + false):.4f}: {found} right, {false} wrong"])


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
