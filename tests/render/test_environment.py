import pytest

from newsletter.errors import TemplateError
from newsletter.render.environment import Templates
from newsletter.render.views import PictureView
from tests.render.messages import SiteTemplates


def failure(templates: Templates, name: str, **context: object) -> str:
    with pytest.raises(TemplateError) as caught:
        templates.render(name, context)
    return str(caught.value)


def test_a_template_of_the_site_goes_before_the_starters(with_files: SiteTemplates) -> None:
    templates = with_files({"goodbye/subject.txt": "So long"})
    assert templates.render("goodbye/subject.txt", {}) == "So long"
    assert "fields.confirm" not in templates.render("confirmation/body.txt", _letter(templates))


def _letter(templates: Templates) -> dict[str, object]:
    return {
        "publication": {"name": "P", "postal_address": "A"},
        "mailing_list": {"title": "L"},
        "fields": {"confirm": "X"},
        "words": templates.words("en"),
    }


def test_an_unknown_name_is_told_with_its_file_and_line(with_files: SiteTemplates) -> None:
    templates = with_files({"digest/extra.txt": "one\ntwo\n{{ headlin }}\n"})
    assert failure(templates, "digest/extra.txt") == "templates/email/digest/extra.txt:3: 'headlin' is undefined"


def test_a_template_that_does_not_parse_is_told_with_its_line(with_files: SiteTemplates) -> None:
    templates = with_files({"digest/extra.txt": "one\n{% if %}\n"})
    assert failure(templates, "digest/extra.txt").startswith("templates/email/digest/extra.txt:2: ")


def test_the_line_named_is_the_one_inside_an_included_file(with_files: SiteTemplates) -> None:
    templates = with_files({"a.txt": "{% include 'b.txt' %}", "b.txt": "\n\n{{ 1 / 0 }}"})
    assert failure(templates, "a.txt").startswith("templates/email/b.txt:3: ")


def test_a_missing_template_is_named_and_who_wants_it(with_files: SiteTemplates) -> None:
    templates = with_files({"a.txt": "\n{% include 'gone.txt' %}"})
    assert failure(templates, "a.txt") == (
        "templates/email/a.txt:2: no template named 'gone.txt' in the site or the starter"
    )


def test_what_a_piece_has_not_is_told_with_what_it_has(with_files: SiteTemplates) -> None:
    picture = PictureView(url="", alt="", caption="", credit="", width=1, height=1)
    templates = with_files({"a.txt": "{{ picture.captoin }}", "b.txt": "{{ picture.colour }}"})
    assert failure(templates, "a.txt", picture=picture) == (
        "templates/email/a.txt:1: picture has no 'captoin', did you mean 'caption'?"
    )
    assert failure(templates, "b.txt", picture=picture) == (
        "templates/email/b.txt:1: picture has no 'colour', it has alt, caption, credit, height, url, width"
    )


def test_a_setting_is_named_by_its_key(templates: Templates) -> None:
    with pytest.raises(TemplateError, match=r"^\[digests\.daily\] subject:1: 'lead' is undefined$"):
        templates.render_setting("{{ lead.headline }}", {}, key="[digests.daily] subject")


@pytest.mark.parametrize(
    "source",
    [
        "{{ ().__class__.__mro__ }}",
        "{{ ''.__class__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ items.append(1) }}",
        "{{ 'x' * 100000000 }}",
        "{{ 100000000 * 'x' }}",
        "{{ 9 ** 99999999 }}",
        "{% for n in range(100000000) %}{% endfor %}",
        "{{ lipsum(9999) }}",
        "{% include '../../../etc/passwd' %}",
        "{% for a in range(1000) %}{% for b in range(1000) %}{{ 'xxxxxxxxxx' }}{% endfor %}{% endfor %}",
    ],
)
def test_a_template_cannot_reach_out_of_its_sandbox_or_eat_the_machine(with_files: SiteTemplates, source: str) -> None:
    templates = with_files({"a.txt": source})
    assert failure(templates, "a.txt", items=[]).startswith("templates/email/a.txt")


def test_html_templates_escape_and_text_templates_do_not(with_files: SiteTemplates) -> None:
    templates = with_files({"a.html": "{{ text }}", "a.txt": "{{ text }}"})
    assert templates.render("a.html", {"text": "<b>&"}) == "&lt;b&gt;&amp;"
    assert templates.render("a.txt", {"text": "<b>&"}) == "<b>&"


def test_a_value_that_looks_like_a_template_is_only_text(with_files: SiteTemplates) -> None:
    templates = with_files({"a.html": "{{ text }}"})
    assert templates.render("a.html", {"text": "{{ 7 * 7 }}"}) == "{{ 7 * 7 }}"


def test_fill_escapes_values_but_not_markup_and_fills_once(with_files: SiteTemplates) -> None:
    templates = with_files({"a.html": "{{ 'To {list} <of> {name}'|fill(list=a, name='<b>'|safe) }}"})
    assert templates.render("a.html", {"a": "{name}&"}) == "To {name}&amp; &lt;of&gt; <b>"


def test_phrases_come_from_the_nearest_language_and_from_english_else(with_files: SiteTemplates) -> None:
    templates = with_files({"words.toml": '[de-AT]\nfollow = "Servus"\n'})
    assert templates.words("de-AT")["follow"] == "Servus"
    assert templates.words("de-AT")["unsubscribe"] == "Abmelden"
    assert templates.words("xx")["unsubscribe"] == "Unsubscribe"


def test_phrases_that_cannot_be_read_are_told(with_files: SiteTemplates) -> None:
    templates = with_files({"words.toml": "[en]\nfollow = 3\n"})
    with pytest.raises(TemplateError, match=r"words\.toml: \[en\]"):
        templates.words("en")


def test_the_fingerprint_follows_each_source_a_mail_is_made_from(with_files: SiteTemplates) -> None:
    before = with_files({}).fingerprint("digest")
    assert with_files({"welcome/subject.txt": "x"}).fingerprint("digest") == before
    after = with_files({"style.css": "p { margin: 0 }"}).fingerprint("digest")
    assert after != before
    assert with_files({"words.toml": '[en]\nfollow = "x"\n'}).fingerprint("digest") not in {before, after}


def test_style_sheets_travel_without_their_comments(with_files: SiteTemplates) -> None:
    templates = with_files({"a.css": "/* why */\n.a > .b {\n  color: red;\n}\n", "a.html": "{{ css('a.css') }}"})
    assert templates.render("a.html", {}) == ".a > .b{color: red}"
