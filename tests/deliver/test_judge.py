import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.deliver.judge import because, judge
from newsletter.deliver.rules import RULES
from newsletter.deliver.rules.page import judgement_page
from newsletter.deliver.rules.rule import Rule
from newsletter.deliver.wire import reply_from
from newsletter.model.delivery import DeliveryState, Reply
from newsletter.model.judgement import Blame, Step
from tests.deliver.verdicts import CODES, VERDICTS, WORDS

SENT, DEFERRED, FAILED = DeliveryState.SENT, DeliveryState.DEFERRED, DeliveryState.FAILED
CASES = [(line, state, blame) for (state, blame), lines in VERDICTS.items() for line in lines]
EXAMPLES = [(line, rule.name) for rule in RULES for line in rule.examples]
SPOKEN = [(line, rule) for rule, lines in WORDS.items() for line in lines]
PAGE = Path(__file__).parents[2] / "docs" / "judgement.md"


def reply(line: str) -> Reply:
    """A server's line as the connection hands it on."""
    return reply_from(int(line[:3]), line[4:])


@pytest.mark.parametrize(("line", "state", "blame"), CASES, ids=[line for line, _, _ in CASES])
def test_replies_are_taken_for_what_their_servers_mean(line: str, state: DeliveryState, blame: Blame | None) -> None:
    judgement = judge(reply(line))
    assert (judgement.state, judgement.blame) == (state, blame), judgement.because


@pytest.mark.parametrize(("line", "rule"), EXAMPLES, ids=[line for line, _ in EXAMPLES])
def test_every_rule_decides_about_its_own_examples(line: str, rule: str) -> None:
    assert judge(reply(line)).rule == rule


@pytest.mark.parametrize(("code", "rule"), CODES.items(), ids=CODES)
def test_a_code_without_words_is_understood(code: str, rule: str) -> None:
    assert judge(reply(f"{code} No.")).rule == rule


@pytest.mark.parametrize(("line", "rule"), SPOKEN, ids=[line for line, _ in SPOKEN])
def test_words_without_a_code_are_understood(line: str, rule: str) -> None:
    assert judge(reply(line)).rule == rule


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("250 2.0.0 Ok: queued as 4F2", Step.NONE),
        ("550 5.1.1 User unknown", Step.SUPPRESS),
        ("550 5.2.2 Mailbox full", Step.FAIL),
        ("451 4.3.0 Local error in processing", Step.RETRY),
        ("421 4.7.28 unusual rate of unsolicited mail", Step.SLOW),
        ("421 4.7.1 [TSS09] All messages will be permanently deferred", Step.PAUSE_PROVIDER),
        ("550 5.7.1 on our block list (S3140)", Step.PAUSE_PROVIDER),
        ("552 5.3.4 Message size exceeds fixed limit", Step.PAUSE_EDITION),
        ("550 5.7.1 rejected: domain present in the Spamhaus DBL", Step.PAUSE_EDITION),
        ("554 5.7.1 Relay access denied", Step.PAUSE_RELAY),
    ],
)
def test_a_reply_asks_for_a_step(line: str, step: Step) -> None:
    assert judge(reply(line)).step is step


def test_a_code_that_an_old_server_puts_at_the_end_counts() -> None:
    assert judge(reply("550 sorry, it cannot be (#5.1.1)")).blame is Blame.ADDRESS_DEAD


def test_what_stands_beside_an_address_does() -> None:
    assert judge(reply("550 permanent failure (anna@example.org:blocked)")).rule == "refused-by-policy"


@pytest.mark.parametrize("word", ["spam", "blocked", "user.unknown", "over.quota", "dmarc"])
def test_what_is_part_of_an_address_does_not_steer_the_judgement(word: str) -> None:
    plain, steering = (judge(reply(f"550 5.1.1 <{name}@{name}.example>: Rejected")) for name in ("anna", word))
    assert steering == plain


@pytest.mark.parametrize(
    "whose", ["IP address", "Sender's address", "sender email address", "Your mailbox", "client account"]
)
@pytest.mark.parametrize("what", ["has been disabled", "is no longer welcome: closed", "unknown", "does not exist"])
def test_what_is_said_of_us_kills_no_address(whose: str, what: str) -> None:
    assert judge(reply(f"554 {whose} {what}")).blame is not Blame.ADDRESS_DEAD


def test_an_enhanced_code_that_is_none_is_not_looked_at() -> None:
    heard = Reply(code=550, enhanced="5.1.1 or so", text="It cannot be (#5.2.2)")
    assert judge(heard).rule == "mailbox-full"


@pytest.mark.parametrize("code", [200, 250, 251, 252, 299])
def test_whatever_begins_with_two_is_sent(code: int) -> None:
    judgement = judge(Reply(code=code, enhanced="5.1.1", text="User unknown, but taken"))
    assert (judgement.state, judgement.blame, judgement.rule) == (SENT, None, "accepted")


def test_case_does_not_matter() -> None:
    assert judge(reply("550 USER UNKNOWN")) == judge(reply("550 user unknown"))


def test_a_thousand_texts_for_one_thing_are_one_reason_without_addresses() -> None:
    lines = (f"550 5.1.1 <reader{n}@example.org>: User unknown, id {n}" for n in range(1000))
    assert {judge(reply(line)).because for line in lines} == {"address dead: no such mailbox [no-such-mailbox]"}


replies = st.builds(
    Reply,
    code=st.integers(-1, 1000) | st.integers(400, 599),
    enhanced=st.from_regex(r"[245]\.\d{1,3}\.\d{1,3}", fullmatch=True) | st.text(max_size=8),
    text=st.text(max_size=200)
    | st.lists(st.sampled_from(" ".join(line for line, _, _ in CASES).split()), max_size=30).map(" ".join),
)


@given(replies)
def test_every_reply_has_an_outcome_that_fits_its_first_digit(reply: Reply) -> None:
    allowed = {2: {SENT}, 5: {FAILED, DEFERRED}}.get(reply.code // 100, {DEFERRED})
    assert judge(reply).state in allowed


@given(replies)
def test_whatever_fails_for_good_has_somebody_to_blame(reply: Reply) -> None:
    judgement = judge(reply)
    assert judgement.state is not FAILED or judgement.blame is not None


@given(replies)
def test_only_a_failed_and_never_a_contradicted_address_is_dead(reply: Reply) -> None:
    judgement = judge(reply)
    dead = judgement.blame is Blame.ADDRESS_DEAD
    assert dead == (judgement.step is Step.SUPPRESS)
    assert not dead or (judgement.state is FAILED and not reply.enhanced.startswith("4."))


@given(replies)
def test_a_reason_is_one_of_the_rules_and_so_holds_nobodys_address(reply: Reply) -> None:
    assert judge(reply).because in {"accepted", *map(because, RULES)}
    assert "@" not in judge(reply).because


LISTED = ("blocked using zen.spamhaus.org", "DMARC policy of reject", "looks like spam", "Relay access denied")


@given(st.sampled_from(LISTED), st.sampled_from(VERDICTS[FAILED, Blame.ADDRESS_DEAD]))
def test_who_takes_us_for_a_spammer_is_not_believed_about_mailboxes(words: str, line: str) -> None:
    assert judge(reply(f"{line} {words}")).blame is not Blame.ADDRESS_DEAD


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rules_are_fit_to_be_read(rule: Rule) -> None:
    assert rule.examples
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name)
    assert [when.says for when in rule.when if when.says != re.sub(r"(?<!\\)[A-Z]", "", when.says)] == []


def test_no_two_rules_share_a_name_or_a_reason() -> None:
    assert len({rule.name for rule in RULES}) == len({rule.words for rule in RULES}) == len(RULES)


def test_the_page_says_what_the_rules_say() -> None:
    assert PAGE.read_text("utf-8") == judgement_page(), "python -m newsletter.deliver.rules.page > docs/judgement.md"
