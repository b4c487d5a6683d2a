from newsletter.deliver.window import Window


def test_nothing_is_ahead_before_there_was_an_answer() -> None:
    assert Window().size == 0


def test_it_follows_what_is_answered_in_a_tenth_of_a_second() -> None:
    window = Window()
    for number in range(1, 401):
        window.answered(number * 0.005)
    assert 18 <= window.size <= 22
    for number in range(1, 10):
        window.answered(2 + number)
    assert window.size <= 1
