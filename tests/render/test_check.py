from dataclasses import replace

from newsletter.model.publication import Digest
from newsletter.render.check import check_templates
from newsletter.render.environment import Templates
from newsletter.render.samples import DIGEST, MAILING_LIST, PUBLICATION
from tests.render.messages import SiteTemplates


def faults(templates: Templates, digest: Digest = DIGEST) -> tuple[str, ...]:
    return check_templates(templates, PUBLICATION, mailing_lists=[MAILING_LIST], digests=[digest])


def test_the_starters_templates_have_no_fault(templates: Templates) -> None:
    assert faults(templates) == ()


def test_all_faults_are_told_at_once_each_with_its_place(with_files: SiteTemplates) -> None:
    templates = with_files(
        {
            "digest/body.txt": "{{ edition.url }}\n{{ editon.url }}\n{{ fields.unsubscribe }}",
            "welcome/body.html": "<html>\n{% if %}\n</html>",
            "goodbye/subject.txt": "{{ words.no_such_phrase }}",
        }
    )
    found = faults(templates, replace(DIGEST, subject="{{ lead.headline"))
    assert any(fault.startswith("templates/email/digest/body.txt:2: ") for fault in found)
    assert len(found) == 4
    assert any(fault.startswith("templates/email/welcome/body.html:2: ") for fault in found)
    assert any(fault.startswith("templates/email/goodbye/subject.txt:1: ") for fault in found)
    assert any(fault.startswith("config.toml: [digests.daily] subject:1: ") for fault in found)


def test_a_template_that_trusts_what_feeds_say_is_found_before_a_feed_finds_it(with_files: SiteTemplates) -> None:
    templates = with_files(
        {
            "digest/body.html": "<html><body><h1>{{ lead.headline|safe }}</h1>"
            "<a href='{{ fields.unsubscribe }}'>x</a></body></html>"
        }
    )
    assert any("<script> does not belong in a mail" in fault for fault in faults(templates))


def test_a_phrase_file_that_does_not_parse_is_told(with_files: SiteTemplates) -> None:
    found = faults(with_files({"words.toml": "[en\n"}))
    assert any("words.toml" in fault for fault in found)
