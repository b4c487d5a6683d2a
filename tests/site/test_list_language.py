"""A list in another language than its publication's."""

from __future__ import annotations

from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Program, feed_file, part

ANN = "ann@example.org"


def test_the_mails_of_a_list_speak_its_language(program: Program, partner: Partner) -> None:
    partner.bodies["/feed"] = feed_of(Article(headline="النهر يرتفع", body="<p>ارتفع منسوب المياه يوم الاثنين.</p>"))
    program.configure(harbour=feed_file(f"{partner.url}/feed"))
    path = program.folder / "config.toml"
    path.write_text(path.read_text().replace('title = "The Brief"', 'title = "الواحة"\nlanguage = "ar"', 1))
    program.json("subscribers", "add", ANN, "--list", "brief")
    program.json("send")
    program.subscribe(ANN)
    program.json("poll")
    program.json("compose", "daily")
    program.json("send")

    confirmation, *_, edition = program.mails(ANN)
    for mail in (confirmation, edition):
        assert '<html lang="ar" dir="rtl"' in part(mail, "html")
        assert mail["Content-Language"] == "ar"
    assert str(confirmation["Subject"]).startswith("يرجى التأكيد")
    assert "إلغاء الاشتراك" in part(edition, "plain")
