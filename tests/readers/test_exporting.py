"""What we write down can be opened safely and read again."""

import csv
import io
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from newsletter.model.subscriber import Newcomer, Subscriber, Subscription, SubscriptionState
from newsletter.readers.exporting import as_document, field_names, guarded, unguarded, write_csv
from newsletter.readers.importing import read_newcomers

NOW = datetime(2026, 3, 1, 7, 0, tzinfo=UTC)


def person(address: str = "ann@example.org", name: str = "Ann", **fields: str) -> Subscriber:
    return Subscriber(id=1, address=address, name=name, fields=tuple(fields.items()), created_at=NOW)


def subscription(state: SubscriptionState = SubscriptionState.ACTIVE, list_id: str = "brief") -> Subscription:
    return Subscription(id=1, subscriber_id=1, list_id=list_id, state=state, since_at=NOW)


def exported(*people: tuple[Subscriber, tuple[Subscription, ...]]) -> str:
    out = io.StringIO(newline="")
    write_csv(people, fields=field_names(people), to=out)
    return out.getvalue()


def test_a_row_for_each_subscription_and_a_column_for_each_field() -> None:
    text = exported(
        (person(city="Basra"), (subscription(), subscription(SubscriptionState.LEFT, "weekly"))),
        (person("bo@example.org", "", role="editor"), ()),
    )
    moment = NOW.isoformat()
    assert list(csv.reader(io.StringIO(text))) == [
        ["address", "name", "language", "list", "state", "since_at", "created_at", "city", "role"],
        ["ann@example.org", "Ann", "", "brief", "active", moment, moment, "Basra", ""],
        ["ann@example.org", "Ann", "", "weekly", "left", moment, moment, "Basra", ""],
        ["bo@example.org", "", "", "", "", "", moment, "", "editor"],
    ]


def test_no_cell_begins_like_a_formula() -> None:
    text = exported((person("=cmd@example.org", "=HYPERLINK(1)", **{"@x": "+1"}), (subscription(),)))
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert {"'=cmd@example.org", "'=HYPERLINK(1)", "'@x", "'+1"} <= set(cells)
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)


def test_an_export_is_read_again_as_it_was() -> None:
    text = exported((person("+ann@example.org", "-Ann", city="=Basra"), (subscription(),)))
    rows = read_newcomers(io.StringIO(text, newline=""), file="x.csv", lists=("brief",), default_list=None)
    assert list(rows) == [
        Newcomer(address="+ann@example.org", name="-Ann", lists=("brief",), fields=(("city", "=Basra"),))
    ]


def test_json_has_everything_about_a_person() -> None:
    assert as_document(person(city="Basra"), (subscription(),)) == {
        "address": "ann@example.org",
        "name": "Ann",
        "language": None,
        "fields": {"city": "Basra"},
        "created_at": NOW,
        "subscriptions": [{"list": "brief", "state": "active", "since_at": NOW}],
    }


@given(st.text())
def test_guarding_takes_nothing_away(cell: str) -> None:
    assert unguarded(guarded(cell)) == cell or cell.startswith("'")
