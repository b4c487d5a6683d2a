from newsletter.deliver.window import Window


def test_nothing_is_ahead_before_there_was_an_answer() -> None:
    assert Window(64).size == 1


def test_it_follows_what_is_answered_in_a_tenth_of_a_second() -> None:
    window = Window(64)
    for number in range(1, 401):
        window.answered(number * 0.005)
    assert 18 <= window.size <= 22
    for number in range(1, 10):
        window.answered(2 + number)
    assert window.size == 2


def test_it_never_exceeds_its_most() -> None:
    for most in (1, 8):
        window = Window(most)
        for number in range(1000):
            window.answered(number * 0.0001)
        assert window.size == most
