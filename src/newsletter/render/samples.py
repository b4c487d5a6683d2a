"""Sample editions, so that templates can be tried before there is news: a plain one, an Arabic one, a hostile one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from html import escape

from newsletter.model.edition import Draft, Part, Piece, Role, Source
from newsletter.model.item import Direction, Image
from newsletter.model.publication import Digest, Mailbox, MailingList, Publication

NONCE = "nlsamplenonce7q2xw4k8"

PUBLICATION = Publication(
    name="The Example Brief",
    base_url="https://news.example.org",
    sender=Mailbox(name="The Example Brief", address="brief@news.example.org"),
    reply_to="editors@example.org",
    bounce_address="bounces@bounce.example.org",
    language="en-GB",
    timezone="Europe/London",
    postal_address="1 Example Street, London",
    links=(("Mastodon", "https://social.example/@brief"), ("The website", "https://example.org/")),
)
MAILING_LIST = MailingList(id="brief", title="The Brief", description="World affairs, each weekday.")
DIGEST = Digest(id="daily", list_id="brief", schedule=None, subject="{{ lead.headline }}", timezone="Europe/London")

_LEAD_TEXT = (
    "For eleven years the strait had one set of charts. Now it has two, and a ship on the wrong one loses half a day.",
    "## A channel with two names",
    "Both ports call their work maintenance. Their tenders describe something deeper than the channel that is there.",
    "> Nobody builds a door that wide for the ships he already has.",
    "Three questions will decide what comes next:",
    "- whose pilots may board first;",
    "- who pays for the wreck buoys;",
    "- what the insurers believe.",
    "## What the charts leave out",
    "The soundings stop where the disputed shelf begins. That silence is the most telling line on the map.",
)
_TEASER_TEXT = (
    "Delegates reach it by a night train that is rarely on time. That is the idea, say two: nobody can leave early.",
)
_ARABIC_TEXT = (
    "في السادسة صباحًا يفتح حارس الرصيف بوابة واحدة من أصل أربع. يقول إن الثلاث الأخرى تنتظر توقيعًا لا يعرف أحد صاحبه.",
)


def _html(paragraphs: tuple[str, ...]) -> str:
    """The markup that says the same as `paragraphs`, list items gathered into one list."""
    marked = "".join(_marked(text) for text in paragraphs)
    return marked.replace("</ul><ul>", "")


def _marked(text: str) -> str:
    kind, _, rest = text.partition(" ")
    forms = {"##": "<h2>{}</h2>", ">": "<blockquote><p>{}</p></blockquote>", "-": "<ul><li>{}</li></ul>"}
    return forms[kind].format(escape(rest)) if kind in forms else f"<p>{escape(text)}</p>"


_LEAD = Piece(
    item_id=1,
    story_id=1,
    feed_id="harbour",
    role=Role.LEAD,
    headline="Two ports, one strait: the quiet contest over who may dredge",
    url="https://harbour.example/two-ports",
    partner="Harbour Institute",
    homepage="https://harbour.example/",
    dek="Surveyors from both shores have begun to chart the same channel, and neither side will say what it is for.",
    byline="Ines Vadell",
    section_line="Analysis | Trade Routes",
    credit_line="Republished with permission from Harbour Institute.",
    html=_html(_LEAD_TEXT).replace("tenders", '<a href="https://harbour.example/tenders">tenders</a>'),
    paragraphs=_LEAD_TEXT,
    whole=True,
    image=Image(
        url="https://harbour.example/pictures/pilot-boat.jpg",
        caption="A pilot boat leaves the eastern mole at first light.",
        credit="Tomas Reuel / Harbour Institute",
        alt="A small orange boat passes a concrete harbour wall.",
        width=1200,
        height=675,
    ),
    also_at=(Source(partner="The Meridian Review", url="https://meridian.example/two-ports"),),
)
_TEASER = Piece(
    item_id=2,
    story_id=2,
    feed_id="meridian",
    role=Role.TEASER,
    headline="Why the grain talks moved to a town without an airport",
    url="https://meridian.example/grain-talks",
    partner="The Meridian Review",
    dek="",
    byline="Oskar Lindqvist and Amal Haddad",
    section_line="Reporting | Food",
    credit_line="From The Meridian Review.",
    html=_html(_TEASER_TEXT),
    paragraphs=_TEASER_TEXT,
    image=Image(
        url="https://meridian.example/pictures/platform.jpg",
        caption="The platform on the eve of the third round.",
        credit="Meridian pool picture",
        width=900,
        height=600,
    ),
)
_PLAIN_TEASER = replace(
    _TEASER,
    item_id=3,
    story_id=3,
    headline="The treaty that lawyers read from the back",
    url="https://meridian.example/annexes",
    byline="Ruth Okonjo",
    dek="Nine annexes, and the promises are all in the last one.",
    html="<p>Ask for the treaty at the registry and the clerk will hand you the annexes first.</p>",
    paragraphs=("Ask for the treaty at the registry and the clerk will hand you the annexes first.",),
    image=None,
    section_line="Comment | Law",
)
_ARABIC_PIECE = Piece(
    item_id=4,
    story_id=4,
    feed_id="manara",
    role=Role.TEASER,
    headline="المرفأ القديم يستعد لموسم لم يعرفه منذ عقد",
    url="https://manara.example/old-port",
    partner="منارة الساحل",
    dek="عادت السفن الصغيرة قبل أن تعود الرافعات، وعاد معها سؤال من يملك الرصيف.",
    byline="ليلى منصور",
    section_line="تحليل | الاقتصاد",
    credit_line="يُعاد نشره بإذن من منارة الساحل.",
    html=_html(_ARABIC_TEXT),
    paragraphs=_ARABIC_TEXT,
    image=Image(
        url="https://manara.example/pictures/quay.jpg",
        caption="الرصيف الشرقي عند الفجر.",
        credit="تصوير: منارة الساحل",
        width=1200,
        height=675,
    ),
    language="ar",
    direction=Direction.RTL,
)


def plain_draft(
    publication: Publication = PUBLICATION, mailing_list: MailingList = MAILING_LIST, digest: Digest = DIGEST
) -> Draft:
    """A lead carried whole, a section of teasers, and one piece from a partner who writes Arabic."""
    return Draft(
        id=f"{digest.id}-2026-11-23",
        number=12,
        digest=digest,
        mailing_list=mailing_list,
        publication=publication,
        dated_at=datetime(2026, 11, 23, 7, tzinfo=UTC),
        parts=(
            Part(title="", pieces=(_LEAD,)),
            Part(title="Worth your time", pieces=(_TEASER, _PLAIN_TEASER)),
            Part(title="From the region", pieces=(_ARABIC_PIECE,)),
        ),
    )


def arabic_draft(
    publication: Publication = PUBLICATION, mailing_list: MailingList = MAILING_LIST, digest: Digest = DIGEST
) -> Draft:
    """An edition that reads from the right, with an English piece in it."""
    second = replace(
        _ARABIC_PIECE,
        item_id=5,
        story_id=5,
        headline="خرائط جديدة لطريق قديم",
        url="https://manara.example/maps",
        dek="",
        image=None,
        byline="سامر الحلبي",
    )
    arabic = replace(publication, language="ar", name="موجز المثال")
    return replace(
        plain_draft(arabic, replace(mailing_list, title="الموجز"), digest),
        parts=(
            Part(title="", pieces=(replace(_ARABIC_PIECE, role=Role.LEAD),)),
            Part(title="قراءات أخرى", pieces=(second, replace(_TEASER, language="en"))),
        ),
    )


_HOSTILE = '"><script>alert(1)</script>{{ 7 * 7 }}]]>\r\nBcc: all@example.net\u2028=?utf-8?q?x?=\x00\u202e'


def hostile_draft(
    nonce: str,
    publication: Publication = PUBLICATION,
    mailing_list: MailingList = MAILING_LIST,
    digest: Digest = DIGEST,
) -> Draft:
    """An edition of texts that try to break out of wherever they are put, in every place a feed can fill."""
    text = _HOSTILE + nonce + "unsubscribe"
    piece = replace(
        _LEAD,
        headline=text,
        dek=text,
        byline=text,
        section_line=text,
        credit_line=text,
        partner=text,
        url="javascript:alert(1)",
        html=f'<p onclick="x()" style="position:fixed">{text}</p><iframe src="https://evil.example"></iframe>',
        paragraphs=(text, "## " + text),
        image=Image(url="data:text/html,x", caption=text, credit=text, alt=text),
        also_at=(Source(partner=text, url="vbscript:x"),),
    )
    return replace(
        plain_draft(publication, mailing_list, digest),
        parts=(Part(title=text, pieces=(piece, replace(piece, role=Role.TEASER, whole=False))),),
    )
