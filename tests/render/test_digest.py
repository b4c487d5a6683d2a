import re
from dataclasses import replace
from itertools import pairwise

import pytest
from lxml import html

from newsletter.errors import TemplateError
from newsletter.model.edition import Draft, Part, Rendered
from newsletter.model.item import Direction, Image
from newsletter.render.environment import Templates
from newsletter.render.render import SUBJECT_LIMIT, render_digest
from newsletter.render.samples import NONCE, arabic_draft, plain_draft
from tests.render.messages import SiteTemplates


@pytest.fixture(scope="module")
def rendered(templates: Templates) -> Rendered:
    return render_digest(plain_draft(), NONCE, templates=templates)


@pytest.fixture(scope="module")
def arabic(templates: Templates) -> Rendered:
    return render_digest(arabic_draft(), NONCE, templates=templates)


def words_of(page: str) -> str:
    return " ".join("".join(map(str, html.document_fromstring(page).itertext())).split())


def test_an_edition_shows_all_that_a_piece_is_made_of(rendered: Rendered) -> None:
    for part in (words_of(rendered.html), " ".join(rendered.text.split())):
        for shown in (
            "The Example Brief",
            "The Brief · No. 12",
            "Monday, 23 November 2026",
            "Worth your time",
            "Analysis | Trade Routes",
            "Two ports, one strait: the quiet contest over who may dredge",
            "neither side will say what it is for.",
            "By Ines Vadell",
            "A pilot boat leaves the eastern mole at first light.",
            "Tomas Reuel / Harbour Institute",
            "A channel with two names",
            "Nobody builds a door that wide",
            "what the insurers believe.",
            "Republished with permission from Harbour Institute.",
            "Read the original at Harbour Institute",
            "Keep reading at The Meridian Review",
            "Also at",
            "Unsubscribe",
            "Change your preferences",
            "1 Example Street, London",
            "because that address is subscribed",
        ):
            assert shown in part


def test_both_parts_lead_to_the_pieces_the_web_version_and_the_follow_us_pages(rendered: Rendered) -> None:
    for url in (
        "https://harbour.example/two-ports",
        "https://meridian.example/grain-talks",
        "https://meridian.example/two-ports",
        "https://news.example.org/archive/brief/12",
        "https://social.example/@brief",
    ):
        assert f'href="{url}"' in rendered.html
        assert f"\n{url}\n" in rendered.text


def test_a_credit_without_a_caption_stands_in_one_pair_of_brackets_in_the_text(templates: Templates) -> None:
    draft = plain_draft()
    lead = replace(draft.pieces[0], image=Image(url="https://harbour.example/a.jpg", credit="Lena Aas", width=600))
    rendered = render_digest(replace(draft, parts=(Part(title="", pieces=(lead,)),)), NONCE, templates=templates)
    assert "\n[Lena Aas]\n" in rendered.text


def test_the_subject_comes_from_the_digests_setting(templates: Templates) -> None:
    draft = plain_draft()
    setting = "{{ publication.name }} {{ edition.number }}: {{ lead.headline }}"
    rendered = render_digest(replace(draft, digest=replace(draft.digest, subject=setting)), NONCE, templates=templates)
    assert rendered.subject.startswith("The Example Brief 12: Two ports")


def test_the_subject_file_may_decorate_every_digests_subject(with_files: SiteTemplates) -> None:
    templates = with_files({"digest/subject.txt": "{{ mailing_list.title }}\n{{ subject }}\n"})
    assert render_digest(plain_draft(), NONCE, templates=templates).subject.startswith("The Brief Two ports")


def test_a_subject_is_one_line_of_bounded_length(templates: Templates) -> None:
    draft = plain_draft()
    lead = replace(draft.pieces[0], headline="strait \n" * 400)
    rendered = render_digest(replace(draft, parts=(Part(title="", pieces=(lead,)),)), NONCE, templates=templates)
    assert len(rendered.subject) <= SUBJECT_LIMIT
    assert rendered.subject.endswith("…")
    assert "\n" not in rendered.subject


def test_an_empty_subject_is_replaced_by_the_lists_title_with_a_warning(templates: Templates) -> None:
    draft = plain_draft()
    rendered = render_digest(
        replace(draft, digest=replace(draft.digest, subject="{{ '' }}")), NONCE, templates=templates
    )
    assert rendered.subject == "The Brief"
    assert "subject was empty" in rendered.warnings[0]


def test_a_subject_with_a_readers_field_is_refused(templates: Templates) -> None:
    draft = plain_draft()
    digest = replace(draft.digest, subject="{{ fields.name }}, read this")
    with pytest.raises(TemplateError, match="same for all readers"):
        render_digest(replace(draft, digest=digest), NONCE, templates=templates)


def test_headings_go_down_one_level_at_a_time(rendered: Rendered) -> None:
    levels = [int(tag[1]) for tag in re.findall(r"<(h[1-6])", rendered.html)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_styles_are_inlined_and_only_rules_for_screens_and_darkness_stay(rendered: Rendered) -> None:
    sheets = " ".join(re.findall(r"<style[^>]*>(.*?)</style>", rendered.html, re.DOTALL))
    assert "prefers-color-scheme:dark" in sheets.replace(" ", "")
    assert "[data-ogsc]" in sheets
    assert "@media (max-width" in sheets
    assert "Charter" not in sheets
    assert re.search(r"<h1[^>]*style=[^>]*font-size:46px", rendered.html)


def test_the_page_is_html5_in_utf_8_without_indentation(rendered: Rendered) -> None:
    assert rendered.html.startswith("<!DOCTYPE html>\n<html")
    assert '<meta charset="utf-8">' in rendered.html
    assert "\n " not in rendered.html


def test_every_picture_has_a_description_and_a_width(rendered: Rendered) -> None:
    pictures = html.document_fromstring(rendered.html).findall(".//img")
    assert len(pictures) == 3
    assert all(picture.get("alt") and picture.get("width") for picture in pictures)
    lead = pictures[0]
    assert (lead.get("width"), lead.get("height")) == ("600", "338")
    assert lead.get("alt") == "A small orange boat passes a concrete harbour wall."
    assert "Why the grain talks moved" in str(pictures[1].get("alt"))


def test_a_small_picture_is_not_blown_up(templates: Templates) -> None:
    draft = plain_draft()
    lead = draft.pieces[0]
    assert lead.image is not None
    small = replace(lead, image=replace(lead.image, width=120, height=80))
    page = render_digest(replace(draft, parts=(Part(title="", pieces=(small,)),)), NONCE, templates=templates).html
    assert re.search(r'<img[^>]*width="120"[^>]*height="80"', page)


def test_an_arabic_edition_reads_from_the_right_with_its_own_words_and_date(arabic: Rendered) -> None:
    page = html.document_fromstring(arabic.html)
    assert page.get("dir") == "rtl"
    assert page.get("lang") == "ar"
    assert "الاثنين، 23 نوفمبر 2026" in arabic.html
    assert "إلغاء الاشتراك" in arabic.text
    # Gmail throws <html> and <body> away, so the first element inside says it too.
    assert next(page.iter("div")).get("dir") == "rtl"


def test_nothing_in_an_arabic_edition_names_a_side_against_its_direction(arabic: Rendered) -> None:
    rows = html.document_fromstring(arabic.html)
    for cell in rows.iterfind(".//*[@dir='rtl'][@align]"):
        assert cell.get("align") != "left"
    assert "letter-spacing:normal" in re.search(r"<h1[^>]*>", arabic.html)[0]  # type: ignore[index]


def test_a_piece_reads_in_its_own_direction_and_language(rendered: Rendered, arabic: Rendered) -> None:
    for mail, language, direction, words in (
        (rendered, "ar", "rtl", "تابع القراءة في"),
        (arabic, "en", "ltr", "Keep reading at"),
    ):
        tables = html.document_fromstring(mail.html).iterfind(f".//table[@lang='{language}'][@dir='{direction}']")
        assert any(words in "".join(map(str, table.itertext())) for table in tables)


def test_the_preheader_tells_what_the_lead_is_about_and_what_else_there_is(rendered: Rendered) -> None:
    assert rendered.preheader.startswith("Surveyors from both shores")
    assert "Why the grain talks" in rendered.preheader
    assert rendered.preheader in words_of(rendered.html)


def test_the_documents_name_the_fields_they_use_and_nothing_else_of_the_nonce(rendered: Rendered) -> None:
    assert rendered.fields == ("address", "unsubscribe", "preferences")
    for document in (rendered.html, rendered.text):
        assert set(re.findall(f"{NONCE}([a-z]+)", document)) == {"address", "unsubscribe", "preferences"}


def test_the_size_is_that_of_the_part_as_it_travels(rendered: Rendered) -> None:
    assert len(rendered.html.encode()) < rendered.html_bytes < 1.25 * len(rendered.html.encode())


def test_the_same_draft_gives_the_same_documents(rendered: Rendered, templates: Templates) -> None:
    assert render_digest(plain_draft(), NONCE, templates=templates) == rendered


@pytest.mark.parametrize(
    ("source", "because"),
    [
        ("<script>x()</script>", "<script> does not belong in a mail"),
        ('<p onclick="x()">a</p>', "<p onclick=…> runs a script"),
        ('<img src="https://harbour.example/a.jpg">', "no alt"),
        ('<img src="/a.jpg" alt="">', "must be an absolute web address"),
        ('<a href="javascript:x()">a</a>', "must be an absolute web address"),
        ('<link rel="stylesheet" href="https://e.example/a.css">', "<link> does not belong"),
        ('<form action="https://e.example/"></form>', "<form> does not belong"),
        ('<p style="background:url(https://e.example/a.png)">a</p>', "loads something from outside"),
        ('<meta http-equiv="refresh" content="0;url=https://e.example/">', "refresh"),
        ("{{ lead.headline }}{{ fields.unsubscribe|upper }}", "lacks {{ fields.unsubscribe }}"),
        ("{{ fields.unsubscribe }}{{ fields.preferences[:-3] }}", "damaged placeholder"),
    ],
)
def test_a_template_that_makes_what_a_mail_must_not_carry_is_refused(
    with_files: SiteTemplates, source: str, because: str
) -> None:
    body = f"<html><body><a href='{{{{ fields.unsubscribe }}}}'>x</a>{source}</body></html>"
    if "unsubscribe" in source:
        body = f"<html><body>{source}</body></html>"
    templates = with_files({"digest/body.html": body})
    with pytest.raises(TemplateError, match=re.escape(because)) as caught:
        render_digest(plain_draft(), NONCE, templates=templates)
    assert caught.value.template == "templates/email/digest/body.html"


def test_a_text_part_without_a_way_to_leave_is_refused(with_files: SiteTemplates) -> None:
    templates = with_files({"digest/body.txt": "{{ lead.headline }}"})
    with pytest.raises(TemplateError, match=r"digest/body\.txt: the text part lacks \{\{ fields\.unsubscribe"):
        render_digest(plain_draft(), NONCE, templates=templates)


def test_a_style_sheet_that_imports_another_reaches_no_network(with_files: SiteTemplates) -> None:
    templates = with_files({"style.css": '@import "http://127.0.0.1:9/x.css"; h1 { color: #123456 }'})
    page = render_digest(plain_draft(), NONCE, templates=templates).html
    assert "127.0.0.1" not in page
    assert "#123456" in page


def test_an_empty_body_is_a_fault_of_the_template(with_files: SiteTemplates) -> None:
    with pytest.raises(TemplateError, match=r"digest/body\.html"):
        render_digest(plain_draft(), NONCE, templates=with_files({"digest/body.html": "  "}))


def test_lines_of_the_text_part_are_72_columns_wide_but_for_links(rendered: Rendered) -> None:
    longest = max(len(line) for line in rendered.text.split("\n") if "http" not in line and NONCE not in line)
    assert longest <= 72


def test_a_piece_without_anything_but_a_headline_still_reads_well(templates: Templates) -> None:
    draft = plain_draft()
    bare = replace(
        draft.pieces[0],
        dek="", byline="", section_line="", credit_line="", html="", paragraphs=(), image=None, also_at=(), url="",
    )  # fmt: skip
    rendered = render_digest(replace(draft, parts=(Part(title="", pieces=(bare,)),)), NONCE, templates=templates)
    assert "By" not in words_of(rendered.html).split()
    assert "\n\n\n" not in rendered.text


def test_an_edition_without_pieces_is_no_reason_to_fail(templates: Templates) -> None:
    draft: Draft = replace(plain_draft(), parts=())
    digest = replace(draft.digest, subject="{{ mailing_list.title }}")
    assert render_digest(replace(draft, digest=digest), NONCE, templates=templates).subject == "The Brief"


def test_an_arabic_quotation_has_its_rule_on_the_right(templates: Templates) -> None:
    draft = arabic_draft()
    lead = replace(draft.pieces[0], html="<blockquote>x</blockquote>", direction=Direction.RTL)
    page = render_digest(replace(draft, parts=(Part(title="", pieces=(lead,)),)), NONCE, templates=templates).html
    assert re.search(r"<blockquote[^>]*border-right-width:3px", page)
