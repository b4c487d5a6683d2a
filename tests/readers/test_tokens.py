import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import TokenError
from newsletter.readers.tokens import Purpose, Tokens

KEY = b"a key of the site, thirty-two by"
OLD = b"the key that was used last year."
TOKENS = Tokens((KEY,))
ids = st.integers(min_value=0, max_value=2**56 - 1)
purposes = st.sampled_from(Purpose)


@given(purposes, ids)
def test_what_was_made_can_be_read(purpose: Purpose, number: int) -> None:
    assert TOKENS.read(purpose, TOKENS.make(purpose, number)) == number


@given(purposes, ids)
def test_a_token_is_short_lower_case_and_fit_for_a_local_part(purpose: Purpose, number: int) -> None:
    token = TOKENS.make(purpose, number)
    assert 26 <= len(token) <= 29
    assert token.isascii()
    assert token.isalnum()
    assert token == token.lower()


@given(purposes, ids)
def test_a_token_survives_servers_that_shout(purpose: Purpose, number: int) -> None:
    assert TOKENS.read(purpose, TOKENS.make(purpose, number).upper()) == number


@given(purposes, purposes, ids)
def test_a_token_is_worth_nothing_for_another_purpose(made: Purpose, asked: Purpose, number: int) -> None:
    if made != asked:
        with pytest.raises(TokenError):
            TOKENS.read(asked, TOKENS.make(made, number))


@given(ids, st.integers(0, 28), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_changing_any_letter_breaks_a_token(number: int, at: int, letter: str) -> None:
    token = TOKENS.make(Purpose.UNSUBSCRIBE, number)
    other = token[:at] + letter + token[at + 1 :]
    if other != token:
        with pytest.raises(TokenError):
            TOKENS.read(Purpose.UNSUBSCRIBE, other)


@given(st.text(max_size=60))
def test_any_text_is_refused_with_our_error_and_is_not_repeated(text: str) -> None:
    with pytest.raises(TokenError) as refused:
        TOKENS.read(Purpose.CONFIRM, text)
    assert len(text) < 10 or text not in str(refused.value)


@pytest.mark.parametrize("odd", ["", "a" * 28, "a" * 30, "a" * 28 + "1", "_" * 29, " " + "a" * 28, "ｂ" * 29])
def test_a_wrong_shape_is_refused(odd: str) -> None:
    with pytest.raises(TokenError):
        TOKENS.read(Purpose.BOUNCE, odd)


@given(purposes, ids)
def test_tokens_made_with_an_older_key_are_still_read(purpose: Purpose, number: int) -> None:
    assert Tokens((KEY, OLD)).read(purpose, Tokens((OLD,)).make(purpose, number)) == number


def test_the_first_key_signs() -> None:
    assert Tokens((KEY, OLD)).make(Purpose.CONFIRM, 7) == TOKENS.make(Purpose.CONFIRM, 7)


def test_a_key_of_somebody_else_is_refused() -> None:
    with pytest.raises(TokenError):
        TOKENS.read(Purpose.CONFIRM, Tokens((OLD,)).make(Purpose.CONFIRM, 7))


def test_a_key_too_short_to_protect_anything_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Tokens((b"short",))
    with pytest.raises(ValueError, match="at least one key"):
        Tokens(())


def test_neighbouring_ids_have_nothing_in_common() -> None:
    one, two = (TOKENS.make(Purpose.UNSUBSCRIBE, number) for number in (41, 42))
    assert sum(a == b for a, b in zip(one[2:], two[2:], strict=True)) < 8


def test_one_person_has_different_tokens_for_different_purposes() -> None:
    assert len({TOKENS.make(purpose, 42)[2:] for purpose in Purpose}) == len(Purpose)


def test_a_program_that_runs_reads_links_of_a_key_that_came_later() -> None:
    keys = [OLD]
    running = Tokens((OLD,), reread=lambda: tuple(keys))
    new, old = Tokens((KEY, OLD)), running.make(Purpose.UNSUBSCRIBE, 7)
    with pytest.raises(TokenError):
        running.read(Purpose.UNSUBSCRIBE, new.make(Purpose.UNSUBSCRIBE, 7))

    keys.insert(0, KEY)

    assert running.read(Purpose.UNSUBSCRIBE, new.make(Purpose.UNSUBSCRIBE, 7)) == 7
    assert running.read(Purpose.UNSUBSCRIBE, old) == 7
    assert running.make(Purpose.UNSUBSCRIBE, 7) == new.make(Purpose.UNSUBSCRIBE, 7)
    with pytest.raises(TokenError):
        running.read(Purpose.CONFIRM, old)
