"""Where sentences end, and where they only seem to."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.compose.sentences import sentence_ends


def split(text: str, language: str | None = None) -> list[str]:
    ends = (0, *sentence_ends(text, language=language))
    found = [text[start:end].strip() for start, end in pairwise(ends)]
    rest = text[ends[-1] :].strip()
    return [*found, rest] if rest else found


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("The boats left. The harbour was empty.", 2),
        ("Gen. Okoro met Mr. Hale and Prof. Lind.", 1),
        ("She sailed with the U.S. Navy for years. Then she stopped.", 2),
        ("They drove across the U.S. The road was long.", 2),
        ("Talks began at 9 a.m. on Friday and ended at 4 p.m. The room was cold.", 2),
        ("It cost 3.5 million. Nobody paid.", 2),
        ("See No. 5 on the list. It is short.", 2),
        ("He said no. She agreed.", 2),
        ("J. R. Okafor wrote it. George W. Amari read it.", 2),
        ("Some fish, e.g. Cod and Hake, are gone.", 1),
        ("They waited … and nothing came. So they left.", 2),
        ("They came to build … [and] stayed. It was late.", 2),
        ("He paused... Then he spoke.", 2),
        ("“Really?” she asked. He nodded.", 2),
        ("It was over (at last.) Everyone cheered.", 2),
        ("“We came. We saw,” he said. They left.", 2),
        ('He asked "Why now? Who knows." and went. Done!', 2),
        ("OSLO, Feb. 3 (Wire) — The ice broke. Ships moved.", 2),
        ("WASHINGTON, D.C. — The vote was close. It passed.", 2),
        ("Born in 1999. Died in 2020. Buried at sea.", 3),
        ("What?! Nobody told us.", 2),
        ("The count was wrong.[12] It was done again.", 2),
        ("Ends with no stop", 1),
        ("", 0),
    ],
)
def test_english_sentences_are_counted_as_a_reader_would(text: str, count: int) -> None:
    assert len(split(text)) == count


@pytest.mark.parametrize(
    ("text", "language", "sentences"),
    [
        ("وصلت السفن. هل غادرت؟ نعم.", "ar", ["وصلت السفن.", "هل غادرت؟", "نعم."]),
        ("قال: «لن نرحل. هذا بيتنا». ثم صمت.", "ar", ["قال: «لن نرحل. هذا بيتنا».", "ثم صمت."]),
        ("وصل د. سامي أمس. ثم غادر.", "ar", ["وصل د. سامي أمس.", "ثم غادر."]),
        ("کشتی آ گئی۔ سب خوش تھے۔", "ur", ["کشتی آ گئی۔", "سب خوش تھے۔"]),
        ("नाव आई। सब खुश थे।", "hi", ["नाव आई।", "सब खुश थे।"]),
        ("船が来た。皆が喜んだ！本当？", "ja", ["船が来た。", "皆が喜んだ！", "本当？"]),
        ("「帰ろう。」と彼は言った。夜だった。", "ja", ["「帰ろう。」と彼は言った。", "夜だった。"]),
        ("他说：“走吧。快走。”他们走了。", "zh", ["他说：“走吧。快走。”他们走了。"]),
        (
            "Am 3. März kam das Schiff, z.B. aus Bremen. Es blieb.",
            "de",
            ["Am 3. März kam das Schiff, z.B. aus Bremen.", "Es blieb."],
        ),
        ("„Ich gehe. Jetzt.“ Dann ging sie.", "de", ["„Ich gehe. Jetzt.“", "Dann ging sie."]),
        (
            "El Sr. Ruiz llegó a EE.UU. en mayo. ¿Quién lo vio? ¡Nadie!",
            "es",
            ["El Sr. Ruiz llegó a EE.UU. en mayo.", "¿Quién lo vio?", "¡Nadie!"],
        ),
        (
            "Elle a dit : «\u00a0C’est fini.\u00a0» Puis rien.",
            "fr",
            ["Elle a dit : «\u00a0C’est fini.\u00a0»", "Puis rien."],
        ),
    ],
)
def test_other_scripts_and_languages_have_their_own_stops(text: str, language: str, sentences: list[str]) -> None:
    assert split(text, language) == sentences


def test_a_long_quotation_may_be_cut_inside() -> None:
    inner = "One more sentence of the speech follows here. " * 12
    assert len(split(f"“{inner}” That was all.")) > 10


@given(st.text())
def test_ends_rise_and_lie_behind_a_sign_within_the_text(text: str) -> None:
    ends = sentence_ends(text)
    assert list(ends) == sorted(set(ends))
    assert all(0 < end <= len(text) and not text[end - 1].isalnum() for end in ends)


@given(st.text(alphabet='abc .!?“”()"0A…', max_size=200))
def test_behind_a_latin_stop_there_is_a_blank_or_nothing(text: str) -> None:
    assert all(end == len(text) or text[end].isspace() for end in sentence_ends(text))


@pytest.mark.parametrize("trap", ["(“[", ".", ".”", "\u00a0", "The post ", "?!", "A.", "“"])
def test_a_page_of_signs_is_no_trap(trap: str) -> None:
    assert sentence_ends(trap * 100_000 + "x. End.")[-1] == len(trap) * 100_000 + len("x. End.")
