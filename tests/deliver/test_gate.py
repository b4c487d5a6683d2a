from newsletter.deliver.gate import PATIENCE, Gate, Rota


def test_a_relay_that_works_admits_everybody() -> None:
    gate = Gate()
    assert gate.admits(0.0)
    assert not gate.enter()


def test_a_relay_that_failed_is_paused_and_then_tried_by_one() -> None:
    gate = Gate()
    pause = gate.fail(100.0, probe=False, because="refused")
    assert pause is not None
    assert not gate.admits(100.0 + pause / 2)
    assert gate.admits(100.0 + pause)
    assert gate.enter()
    assert not gate.admits(100.0 + pause)
    gate.succeed(0.0)
    assert gate.admits(0.0)


def test_pauses_grow_and_have_an_end() -> None:
    gate = Gate()
    pauses = [gate.fail(0.0, probe=True, because="refused") for _ in range(2000)]
    assert pauses[:4] == [0.5, 1.0, 2.0, 4.0]
    assert set(pauses[7:]) == {60.0}, "however long it is away"


def test_lanes_that_lose_a_relay_together_are_one_failure() -> None:
    gate = Gate()
    paused = [gate.fail(0.0, probe=False, because="lost") for _ in range(8)]
    assert paused == [0.5, *[None] * 7]
    assert gate.failures == 1
    assert not gate.unreachable


def test_a_relay_that_fails_again_and_again_is_unreachable() -> None:
    gate = Gate()
    for _ in range(PATIENCE):
        gate.fail(0.0, probe=True, because="refused")
    assert gate.unreachable
    gate.succeed(0.0)
    assert not gate.unreachable


def test_an_unreachable_relay_is_hopeless_only_until_its_pause_is_over() -> None:
    gate = Gate()
    pauses = [gate.fail(0.0, probe=True, because="refused") for _ in range(PATIENCE)]
    assert pauses[-1] == gate.opens_in(0.0) == 4.0
    assert gate.is_hopeless(3.9)
    assert not gate.is_hopeless(4.0)
    assert gate.unreachable, "until it answers"


def test_a_relay_alone_that_failed_long_ago_is_paused_as_if_for_the_first_time() -> None:
    gate = Gate()
    for time in (0.0, 1000.0, 2000.0):
        assert gate.fail(time, probe=False, because="lost") == 0.5
        gate.succeed(time + 1)


def test_the_share_of_a_relay_that_came_back_returns_slowly() -> None:
    gate = Gate()
    gate.fail(0.0, probe=False, because="lost")
    gate.succeed(100.0)
    carried: list[int] = []
    for second in range(13):
        before = len(carried)
        while gate.may_carry(100.0 + second) and len(carried) - before < 5000:
            gate.took()
            carried.append(second)
    many = [carried.count(second) for second in range(13)]
    assert many[:6] == [8, 8, 16, 32, 64, 128]
    assert many[11:] == [5000, 5000]
    assert not gate.is_coming_back


def test_a_relay_that_comes_and_goes_is_left_alone_longer_each_time() -> None:
    gate, pauses = Gate(), []
    for time in (0.0, 1.0, 2.0, 3.0):
        pauses.append(gate.fail(time, probe=False, because="lost"))
        gate.succeed(time)
    assert pauses == [0.5, 1.0, 2.0, 4.0]
    assert gate.may_carry(100.0)
    assert gate.fail(100.0, probe=False, because="lost") == 0.5
    assert not gate.unreachable


def test_a_try_that_was_not_used_is_there_for_another() -> None:
    gate = Gate()
    gate.fail(0.0, probe=False, because="lost")
    gate.enter()
    gate.leave()
    assert gate.admits(1.0)


def taken(rota: Rota, relays: frozenset[str], times: int) -> dict[str, int]:
    counts = dict.fromkeys(sorted(relays), 0)
    for _ in range(times):
        for relay in counts:
            if rota.may_take(relay, relays):
                rota.took(relay)
                counts[relay] += 1
    return counts


def test_different_weights_are_shares() -> None:
    counts = taken(Rota({"a": 3, "b": 1}, slack=2), frozenset({"a", "b"}), 1000)
    assert 2.9 <= counts["a"] / counts["b"] <= 3.1


def test_equal_weights_leave_it_to_whoever_is_free() -> None:
    rota = Rota({"a": 5, "b": 5})
    for _ in range(100):
        rota.took("a")
    assert rota.may_take("a", frozenset({"a", "b"}))


def test_a_relay_alone_takes_everything() -> None:
    rota = Rota({"a": 1, "b": 9})
    assert taken(rota, frozenset({"a"}), 100) == {"a": 100}


def test_a_relay_that_comes_back_does_not_make_up_for_its_absence() -> None:
    rota, both = Rota({"a": 3, "b": 1}, slack=2), frozenset({"a", "b"})
    taken(rota, frozenset({"a"}), 900)
    rota.rejoin("b", both)
    counts = taken(rota, both, 100)
    assert counts["a"] > 2 * counts["b"]
