from datetime import UTC, datetime, timedelta

from newsletter.model.window import still_amid, taken_out

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
DATED = {number: NOW + timedelta(hours=number) for number in range(20)}
LIST = (9, 8, 7, 6, 5, 4)


def test_an_item_between_an_older_and_a_newer_neighbour_was_taken_out() -> None:
    assert taken_out(LIST, (9, 8, 6, 5, 4), DATED) == (7,)


def test_it_was_taken_out_too_if_news_came_and_an_older_item_moved_up() -> None:
    assert taken_out(LIST, (11, 10, 9, 8, 6, 5, 4, 3), DATED) == (7,)


def test_what_news_push_off_the_end_was_not_taken_out() -> None:
    assert taken_out(LIST, (11, 10, 9, 8, 7, 6), DATED) == ()


def test_the_newest_item_has_no_newer_neighbour_that_could_tell() -> None:
    assert taken_out(LIST, (8, 7, 6, 5, 4), DATED) == ()


def test_a_list_with_its_oldest_first_has_a_middle_too() -> None:
    assert taken_out(LIST[::-1], (4, 5, 6, 8, 9), DATED) == (7,)


def test_what_is_pushed_past_an_old_piece_pinned_to_the_end_was_not_taken_out() -> None:
    assert taken_out((9, 8, 7, 6, 0), (10, 9, 8, 7, 0), DATED) == ()


def test_a_piece_pinned_to_the_top_that_is_taken_down_was_not_taken_out() -> None:
    assert taken_out((0, 9, 8, 7, 6), (9, 8, 7, 6), DATED) == ()


def test_a_list_that_is_not_by_date_has_no_middle() -> None:
    assert taken_out((4, 9, 5, 8), (4, 5, 8), DATED) == ()


def test_if_much_of_a_list_is_gone_it_is_another_list() -> None:
    assert taken_out(LIST, (9, 6, 4), DATED) == ()


def test_what_was_taken_out_is_looked_for_as_long_as_it_would_still_be_listed() -> None:
    assert still_amid(7, (9, 8, 6, 5), DATED)
    assert not still_amid(7, (9, 7, 6), DATED)
    assert not still_amid(7, (12, 11, 10), DATED)
    assert not still_amid(7, (), DATED)
