"""The few forms of an edition: what each group of readers gets, and what they get when there would be too many."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from newsletter.compose.variants import Terms, Wish, chrome_language, drafted, variants_of, wish_of
from newsletter.model.edition import Draft, Part, Role
from newsletter.model.publication import AlreadySent
from newsletter.model.variant import HAD_IT_ALL, NOTHING_CHOSEN, Group, Place, Readership, Variant, Variants
from tests.compose.makers import draft, piece, plain_render

SEA, LAND = frozenset({"sea"}), frozenset({"land"})
TOPICS = {1: SEA, 2: SEA | LAND, 3: LAND, 4: frozenset[str]()}


def terms(topics: dict[int, frozenset[str]] = TOPICS, *, already_sent: AlreadySent = AlreadySent.LEAVE_OUT) -> Terms:
    return Terms(topics=topics, already_sent=already_sent, chrome=lambda tag: "de" if tag == "de" else None)


def seen(*stories: int, readers: int = 1, language: str | None = None) -> Group:
    return Group(seen=frozenset(stories), readers=readers, language=language)


def four_pieces() -> Draft:
    lead, *rest = (piece(number, headline=f"Piece {number}", dek="More") for number in range(1, 5))
    made = draft(lead, *(replace(each, role=Role.TEASER) for each in rest))
    return replace(made, parts=(Part(title="", pieces=made.pieces[:2]), Part(title="Land", pieces=made.pieces[2:])))


def made(*groups: Group, most: int = 24, by: Terms | None = None) -> Variants:
    readership = Readership(groups=groups)
    return variants_of(
        four_pieces(), readership, by or terms(), render=lambda form: plain_render(form, "nl"), most=most
    )


def shown(form: Draft) -> list[list[int]]:
    return [[each.story_id for each in part.pieces] for part in form.parts]


def forms(variants: Variants) -> dict[str, Variant]:
    return {form.name: form for form, _ in variants.forms}


def test_what_is_on_no_chosen_topic_is_left_out_and_what_is_on_none_at_all_stays() -> None:
    assert wish_of(Group(topics=("Sea",), readers=1), terms()) == Wish(left_out=frozenset({3}))
    assert wish_of(Group(readers=1), terms()) == Wish()


def test_who_had_all_of_it_or_wants_none_of_it_gets_nothing_and_the_reason() -> None:
    assert wish_of(seen(1, 2, 3, 4), terms()) == HAD_IT_ALL
    assert wish_of(Group(topics=("Sky",), readers=1), terms({1: SEA})) == NOTHING_CHOSEN
    all_had_that_was_wanted = Group(topics=("Sea",), seen=frozenset({1}), readers=1)
    assert wish_of(all_had_that_was_wanted, terms({1: SEA, 2: LAND})) == HAD_IT_ALL


def test_a_digest_may_shorten_what_was_sent_before_or_show_it_again() -> None:
    assert wish_of(seen(1), terms(already_sent=AlreadySent.SHORTEN)) == Wish(shortened=frozenset({1}))
    assert wish_of(seen(1), terms(already_sent=AlreadySent.KEEP)) == Wish()
    assert wish_of(seen(1, 2, 3, 4), terms(already_sent=AlreadySent.SHORTEN)) == HAD_IT_ALL
    assert wish_of(seen(1, 2, 3, 4), terms(already_sent=AlreadySent.KEEP)) == Wish()


def test_a_section_with_nothing_left_is_dropped_and_the_first_piece_left_leads() -> None:
    form = drafted(four_pieces(), Wish(left_out=frozenset({1, 2, 3})))
    assert shown(form) == [[4]]
    assert [each.role for each in form.pieces] == [Role.LEAD]
    assert [each.role for each in drafted(four_pieces(), Wish(left_out=frozenset({3}))).pieces] == [
        Role.LEAD,
        Role.TEASER,
        Role.TEASER,
    ]


def test_what_is_shortened_keeps_its_headline_and_link_behind_what_is_new() -> None:
    form = drafted(four_pieces(), Wish(shortened=frozenset({1, 2, 3})))
    assert shown(form) == [[4, 3], [1, 2]]
    assert [(each.headline, each.dek) for each in form.pieces[:2]] == [("Piece 4", "More"), ("Piece 3", "")]
    assert form.pieces[1].url


def test_a_piece_keeps_its_language_when_the_phrases_around_it_change() -> None:
    form = drafted(four_pieces(), Wish(language="de"))
    assert form.publication.language == "de"
    assert {each.language for each in form.pieces} == {"en"}


def test_each_wish_is_rendered_once_and_text_alone_needs_no_document_of_its_own() -> None:
    variants = made(seen(1, readers=5), Group(text_only=True, seen=frozenset({1}), readers=2), seen(readers=9))
    assert [(form.name, form.document, rendered is not None) for form, rendered in variants.forms] == [
        ("", "", False),
        ("t", "", False),
        ("1", "1", True),
        ("1t", "1", False),
    ]
    assert variants.place(seen(1)) == Place(variant="1", spared=True)
    assert variants.place(Group(text_only=True, seen=frozenset({1}), readers=1)).variant == "1t"
    assert variants.place(seen()) == Place(variant="")


def test_beyond_the_bound_the_wishes_of_most_are_granted_and_the_rest_get_the_nearest() -> None:
    variants = made(seen(1, readers=5), seen(1, 2, readers=4), seen(3, readers=1), most=2)
    assert forms(variants)["1"].left_out == (1,)
    assert variants.place(seen(1, 2)) == Place(variant="1", spared=True, nearest=True)
    assert variants.place(seen(3)) == Place(variant="", nearest=True)


def test_nobody_is_spoken_to_in_another_readers_language() -> None:
    variants = made(seen(1, readers=5, language="de"), most=2)
    assert variants.place(seen(1)) == Place(variant="", nearest=True)
    assert variants.place(seen(1, language="de")) == Place(variant="1", spared=True)


def test_who_changes_to_text_alone_while_it_is_composed_gets_it_next_time() -> None:
    assert made(seen(1)).place(Group(text_only=True, readers=1)) == Place(variant="", nearest=True)


_GROUPS = st.builds(
    Group,
    topics=st.sampled_from([(), ("Sea",), ("Land",), ("Sky",)]),
    seen=st.frozensets(st.integers(1, 4)),
    language=st.sampled_from([None, "de", "fr"]),
    text_only=st.booleans(),
    readers=st.integers(1, 9),
)


@given(st.lists(_GROUPS, max_size=12), st.integers(1, 5), st.sampled_from(AlreadySent))
def test_no_bound_hides_a_story_that_somebody_should_get(
    groups: list[Group], most: int, already_sent: AlreadySent
) -> None:
    by = terms(already_sent=already_sent)
    variants = made(*groups, most=most, by=by)
    documents = [form for form, _ in variants.forms if form.name == form.document]
    assert len(documents) <= most
    for group in groups:
        wish, place = wish_of(group, by), variants.place(group)
        if isinstance(wish, str):
            assert place.variant is None
            continue
        form = forms(variants)[str(place.variant)]
        assert set(form.left_out) <= wish.left_out
        assert set(form.shortened) <= wish.shortened
        assert form.text_only == group.text_only
        left_out, shortened = frozenset(form.left_out), frozenset(form.shortened)
        assert place.nearest is (wish != Wish(left_out=left_out, shortened=shortened, language=form.language))


def test_a_reader_is_spoken_to_in_their_language_where_the_templates_have_it() -> None:
    def spoken(tag: str | None, languages: Collection[str] = ("en", "de", "pt-BR")) -> str | None:
        return chrome_language(tag, languages=languages, ours="en")

    assert [spoken(tag) for tag in ("de", "de-AT", "pt-br", "pt", "fr", "en-GB", None)] == [
        *("de", "de", "pt-BR"),
        *(None,) * 4,
    ]
