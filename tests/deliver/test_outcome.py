from datetime import UTC, datetime, timedelta

from newsletter.deliver.outcome import after_reply, doubtful, not_tried, unmakeable
from newsletter.model.delivery import DELIVERY_MOVES, Claimed, DeliveryState, LedgerKind, Reply
from newsletter.model.settings import Deliver

NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
CLAIMED = Claimed(
    ledger=LedgerKind.EDITION,
    id=7,
    batch="daily-2026-11-23",
    variant="",
    subscriber_id=1,
    subscription_id=1,
    list_id="brief",
    address="anna@example.org",
    name="Anna",
    fields=(),
    attempts=0,
    queued_at=NOW,
    fence=3,
)
BUSY = Reply(code=451, enhanced="4.3.0", text="busy")


def test_a_refusal_for_now_is_due_again_later() -> None:
    tried = after_reply(CLAIMED, BUSY, relay="main", policy=Deliver(), now=NOW, jitter=0)
    assert (tried.state, tried.due_at) == (DeliveryState.DEFERRED, NOW + timedelta(minutes=5))


def test_a_refusal_for_now_after_two_days_has_failed_for_the_same_reason() -> None:
    later = NOW + timedelta(hours=47)
    tried = after_reply(CLAIMED, BUSY, relay="main", policy=Deliver(first_wait=timedelta(hours=3)), now=later, jitter=0)
    assert (tried.state, tried.due_at) == (DeliveryState.FAILED, None)
    assert tried.because == "gave up: the server is busy or out of order [refused-for-now]"


def test_an_accepted_message_is_sent_and_keeps_the_reply() -> None:
    reply = Reply(code=250, enhanced="2.0.0", text="queued as 4F2")
    tried = after_reply(CLAIMED, reply, relay="main", policy=Deliver(), now=NOW, jitter=0)
    assert (tried.state, tried.reply, tried.relay, tried.fence) == (DeliveryState.SENT, reply, "main", 3)


def test_what_was_not_tried_goes_back_uncounted_and_what_is_in_doubt_counts() -> None:
    back, unknown = (make(CLAIMED, relay="main", because="connection lost") for make in (not_tried, doubtful))
    assert (back.state, back.counts) == (DeliveryState.QUEUED, False)
    assert (unknown.state, unknown.counts) == (DeliveryState.UNKNOWN, True)


def test_every_outcome_is_a_move_the_table_allows() -> None:
    for made in (not_tried(CLAIMED, relay="", because=""), doubtful(CLAIMED, relay="", because="")):
        assert DELIVERY_MOVES.check(DeliveryState.SENDING, made.state)
    assert DELIVERY_MOVES.check(DeliveryState.QUEUED, unmakeable(CLAIMED, because="").state)
