import pytest

from newsletter.publish.paging import newest_page, past_page


@pytest.mark.parametrize("newest", range(45))
def test_following_the_older_documents_meets_every_number_and_the_past_stays_as_it_is(newest: int) -> None:
    page = newest_page(newest)
    met = set(range(page.first, page.last + 1))
    while page.previous:
        older = past_page(page.previous, newest=newest)
        assert older is not None
        assert older.last - older.first == 9
        assert older.last % 10 == 0
        page = older
        met |= set(range(page.first, page.last + 1))

    assert met == set(range(1, newest + 1))


def test_documents_of_the_past_are_linked_both_ways() -> None:
    pages = [past_page(number, newest=35) for number in range(5)]

    assert [page and (page.previous, page.following) for page in pages] == [None, (None, 2), (1, 3), (2, None), None]
    assert newest_page(35).previous == 3
    assert newest_page(10).previous is None


def test_a_document_that_is_not_complete_is_not_there() -> None:
    assert past_page(2, newest=19) is None
    assert past_page(2, newest=20) is not None
