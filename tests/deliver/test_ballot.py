import pytest

from newsletter.deliver.ballot import MAJORITIES, Alarm, Ballot
from newsletter.model.blame import Step

ABOUT = {Step.PAUSE_RELAY: "main", Step.PAUSE_PROVIDER: "google", Step.PAUSE_EDITION: "daily-1"}
PAUSING = tuple(MAJORITIES)


def cast(ballot: Ballot, *votes: Step, provider: str = "google") -> list[Alarm]:
    about = ABOUT | {Step.PAUSE_PROVIDER: provider}
    alarms = [ballot.cast(vote, about=about, because="our fault") for vote in votes]
    return [alarm for alarm in alarms if alarm is not None]


@pytest.mark.parametrize("step", PAUSING)
def test_one_stray_reply_stops_nothing_and_a_row_of_them_does(step: Step) -> None:
    enough = MAJORITIES[step].votes
    assert enough > 1
    assert cast(Ballot(), *[step] * (enough - 1)) == []
    assert cast(Ballot(), *[step] * enough) == [Alarm(step=step, whom=ABOUT[step], because="our fault")]


def test_an_accepted_message_between_them_clears_a_relay() -> None:
    vote = Step.PAUSE_RELAY
    assert cast(Ballot(), vote, vote, Step.NONE, vote, vote, Step.NONE, vote, vote) == []


def test_a_provider_that_takes_most_of_our_mail_is_not_paused() -> None:
    assert cast(Ballot(), *[Step.PAUSE_PROVIDER, Step.NONE, Step.NONE] * 30) == []


def test_a_provider_that_refuses_half_of_our_mail_is_paused() -> None:
    assert [alarm.whom for alarm in cast(Ballot(), *[Step.PAUSE_PROVIDER, Step.NONE] * 3)] == ["google"]


def test_what_other_providers_say_is_no_vote_about_this_one() -> None:
    ballot = Ballot()
    cast(ballot, Step.PAUSE_PROVIDER, Step.PAUSE_PROVIDER)
    assert cast(ballot, *[Step.NONE] * 50, provider="yahoo") == []
    assert cast(ballot, Step.PAUSE_PROVIDER, provider="yahoo") == []
    assert [alarm.whom for alarm in cast(ballot, Step.PAUSE_PROVIDER)] == ["google"]


def test_an_edition_that_a_fifth_of_all_readers_are_refused_stops() -> None:
    assert cast(Ballot(), *[Step.PAUSE_EDITION, *[Step.NONE] * 7] * 100) == []
    assert cast(Ballot(), *[Step.PAUSE_EDITION, *[Step.NONE] * 4] * 100) != []


def test_an_alarm_is_raised_once_until_there_are_as_many_votes_again() -> None:
    assert len(cast(Ballot(), *[Step.PAUSE_PROVIDER] * 5)) == 1
    assert len(cast(Ballot(), *[Step.PAUSE_PROVIDER] * 6)) == 2


def test_nobody_is_remembered_while_all_is_well() -> None:
    ballot = Ballot()
    cast(ballot, *[Step.NONE, Step.RETRY, Step.SUPPRESS] * 10)
    assert not ballot.is_open
