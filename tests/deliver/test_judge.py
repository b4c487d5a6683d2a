import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.deliver.judge import judge
from newsletter.model.delivery import DeliveryState, Reply
from newsletter.model.judgement import Blame

SENT, DEFERRED, FAILED = DeliveryState.SENT, DeliveryState.DEFERRED, DeliveryState.FAILED
DEAD, TROUBLE, OURS = Blame.ADDRESS_DEAD, Blame.MAILBOX_TROUBLE, Blame.OUR_FAULT

CASES: list[tuple[int, str, str, DeliveryState, Blame | None]] = [
    (250, "2.0.0", "Ok: queued as 4F2", SENT, None),
    (251, "", "User not local; will forward", SENT, None),
    # for now
    (450, "4.2.0", "Recipient address rejected: Greylisted", DEFERRED, None),
    (451, "4.3.0", "Local error in processing", DEFERRED, None),
    (421, "4.3.2", "Service shutting down", DEFERRED, None),
    (452, "4.2.2", "The recipient's inbox is out of storage space", DEFERRED, TROUBLE),
    (450, "4.2.1", "The user you are trying to contact is receiving mail at a rate that prevents", DEFERRED, TROUBLE),
    (421, "4.7.28", "Our system has detected an unusual rate of unsolicited mail", DEFERRED, OURS),
    (451, "4.7.1", "Greylisting in action, please come back later", DEFERRED, None),
    (454, "4.7.1", "Relay access denied", DEFERRED, OURS),
    (431, "", "", DEFERRED, None),
    # nobody there
    (550, "5.1.1", "The email account that you tried to reach does not exist.", FAILED, DEAD),
    (550, "5.1.1", "User unknown in virtual mailbox table", FAILED, DEAD),
    (550, "", "No such user here", FAILED, DEAD),
    (550, "5.5.0", "Requested action not taken: mailbox not found", FAILED, DEAD),
    (550, "5.4.1", "Recipient address rejected: Access denied. AS(201806281)", FAILED, DEAD),
    (550, "5.2.1", "The email account that you tried to reach is inactive.", FAILED, DEAD),
    (554, "5.7.1", "Recipient unknown", FAILED, DEAD),
    (556, "5.1.10", "Domain does not accept mail", FAILED, DEAD),
    (553, "5.1.3", "Bad recipient address syntax", FAILED, DEAD),
    # the mailbox
    (552, "5.2.2", "Over quota", DEFERRED, TROUBLE),
    (552, "", "Requested mail action aborted: exceeded storage allocation", DEFERRED, TROUBLE),
    (550, "5.2.2", "Mailbox full", FAILED, TROUBLE),
    (550, "", "Requested action not taken: mailbox unavailable", FAILED, TROUBLE),
    (554, "5.4.4", "Unable to route", FAILED, TROUBLE),
    (554, "", "Transaction failed", FAILED, TROUBLE),
    # us
    (552, "5.3.4", "Message size exceeds fixed limit", FAILED, OURS),
    (552, "", "Error: Too much mail data", FAILED, OURS),
    (552, "5.7.0", "This message was blocked because its content presents a potential security issue", FAILED, OURS),
    (550, "5.7.26", "Unauthenticated email is not accepted due to the domain's DMARC policy", FAILED, OURS),
    (554, "5.7.1", "Service unavailable; Client host blocked using Spamhaus", FAILED, OURS),
    (550, "5.1.1", "Message rejected as spam", FAILED, OURS),
    (554, "5.7.1", "Relay access denied", DEFERRED, OURS),
    (530, "5.7.0", "Authentication required", FAILED, OURS),
    (550, "5.1.8", "Sender's domain does not resolve", FAILED, OURS),
    (500, "5.5.2", "Command not recognised", FAILED, OURS),
]  # fmt: skip


@pytest.mark.parametrize(("code", "enhanced", "text", "state", "blame"), CASES)
def test_replies_are_judged_by_code_and_words(
    code: int, enhanced: str, text: str, state: DeliveryState, blame: Blame | None
) -> None:
    judgement = judge(Reply(code=code, enhanced=enhanced, text=text))
    assert (judgement.state, judgement.blame) == (state, blame), judgement.because


replies = st.builds(
    Reply,
    code=st.integers(100, 699),
    enhanced=st.from_regex(r"[245]\.\d{1,3}\.\d{1,3}", fullmatch=True) | st.just(""),
    text=st.text(max_size=200),
)


@given(replies)
def test_every_reply_has_an_outcome_that_fits_its_first_digit(reply: Reply) -> None:
    state = judge(reply).state
    allowed = {2: {SENT}, 5: {FAILED, DEFERRED}}.get(reply.code // 100, {DEFERRED})
    assert state in allowed


@given(replies)
def test_whatever_fails_for_good_has_somebody_to_blame(reply: Reply) -> None:
    judgement = judge(reply)
    assert judgement.state is not FAILED or judgement.blame is not None


def test_reasons_group_and_hold_no_address() -> None:
    whys = {
        judge(Reply(code=550, enhanced="5.1.1", text=f"<{name}@example.org>: User unknown, id {name}")).because
        for name in ("anna", "bert")
    }
    assert whys == {"address dead: no such mailbox (550 5.1.1)"}
