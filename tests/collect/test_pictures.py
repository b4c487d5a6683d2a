import pytest

from newsletter.collect.clean import cleaned

BASE = "https://courier.example/2026/karst/"
IMG = '<img src="/dam.jpg" alt="A dam" width="800" height="600">'
TEXT = "<p>The gates opened.</p>"


@pytest.mark.parametrize(
    "markup",
    [
        f"<figure>{IMG}<figcaption>The spillway (Photo: Ada Quill)</figcaption></figure>",
        f'<figure><a href="/x">{IMG}</a><figcaption>The spillway <span class="credit">Ada Quill</span></figcaption></figure>',
        f'<div class="wp-caption alignnone" style="width: 610px">{IMG}<p class="wp-caption-text">The spillway. Photo by Ada Quill</p></div>',
        f'[caption id="attachment_1" align="left" width="610"]{IMG} The spillway (photo Ada Quill)[/caption]',
        f'<p class="shortcode-media shortcode-media-rebelmouse-image">{IMG}<small class="media-caption">The spillway</small><small class="media-photo-credit">Ada Quill</small></p>',
        f"<p>{IMG}<br><em>The spillway. Photo: Ada Quill</em></p>",
        f"<div><figure>{IMG}<cite>Ada Quill</cite><figcaption>The spillway</figcaption></figure></div>",
    ],
    ids=["figure", "credit in caption", "wordpress", "shortcode", "rebelmouse", "italics", "cite"],
)
def test_caption_and_credit_are_found_in_every_markup_and_leave_the_text(markup: str) -> None:
    found = cleaned(markup + TEXT, BASE)
    (image,) = found.images
    assert image.url == "https://courier.example/dam.jpg"
    assert image.caption.rstrip(".") == "The spillway"
    assert image.credit in {"Ada Quill", "photo Ada Quill"}
    assert (image.alt, image.width, image.height) == ("A dam", 800, 600)
    assert found.text == "The gates opened."
    assert "img" not in found.html


def test_every_picture_leaves_the_text_and_the_first_comes_first() -> None:
    found = cleaned(
        f"{TEXT}<p>{IMG}</p><p>More.</p><figure><img src='b.jpg'><figcaption>Later</figcaption></figure>", BASE
    )
    assert [image.url.rsplit("/", 1)[-1] for image in found.images] == ["dam.jpg", "b.jpg"]
    assert found.text == "The gates opened.\n\nMore."


@pytest.mark.parametrize(
    "image",
    [
        '<img src="https://t.example/pixel.gif?x=1">',
        '<img src="/a.jpg" width="1" height="1">',
        '<img src="data:image/gif;base64,R0">',
        '<img src="/icon.png" width="16">',
        '<img src="https://stats.wordpress.com/b.gif">',
        "<img>",
    ],
)
def test_furniture_is_no_picture(image: str) -> None:
    assert cleaned(TEXT + image, BASE).images == ()


def test_a_picture_that_is_loaded_late_has_the_address_it_will_have() -> None:
    (image,) = cleaned('<img src="data:image/gif;base64,R0" data-src="real.jpg">', BASE).images
    assert image.url == "https://courier.example/2026/karst/real.jpg"


def test_an_emoji_drawn_as_a_picture_is_a_character() -> None:
    assert cleaned('<p>Rain <img class="emoji" src="/1f327.png" alt="🌧"></p>', BASE).text == "Rain 🌧"


def test_a_film_leaves_with_its_caption() -> None:
    film = "<figure><iframe src='https://v.example'></iframe><figcaption>A film</figcaption></figure>"
    assert cleaned(film + TEXT, BASE).text == "The gates opened."


def test_a_quotation_in_a_figure_stays() -> None:
    assert cleaned("<figure><blockquote><p>Let go.</p></blockquote></figure>", BASE).text == "Let go."


def test_text_beside_a_picture_stays() -> None:
    assert cleaned(f"<p>{IMG} The gates opened.</p>", BASE).text == "The gates opened."


def test_thousands_of_pictures_cost_no_more_than_their_size() -> None:
    found = cleaned("<p>" + "<img src=x.jpg>" * 5000 + "</p>" + TEXT, BASE)
    assert len(found.images) <= 40
    assert found.text == "The gates opened."
