"""Editions to publish: a whole lead with everything in it, a teaser in Arabic, and hostile texts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from newsletter.model.edition import Draft, Edition, EditionState, Part, Piece, Role, Source
from newsletter.model.item import Direction, Image
from newsletter.model.publication import Digest, Mailbox, MailingList, Publication, Section
from newsletter.publish.paging import Page, newest_page
from newsletter.publish.publish import Form, feed_of

DATED = datetime(2026, 3, 4, 7, 0, tzinfo=UTC)
PUBLICATION = Publication(
    name="The Example Brief",
    base_url="https://news.example.org",
    sender=Mailbox(name="The Example Brief", address="brief@mail.example.org"),
    reply_to="editors@example.org",
    bounce_address="bounces@bounce.example.org",
    language="en",
    timezone="Europe/London",
    postal_address="1 Example Street, London",
)
BRIEF = MailingList(id="brief", title="The Brief", description="World affairs, each weekday.")
LEAD = Piece(
    item_id=11,
    story_id=7,
    feed_id="observatory",
    role=Role.LEAD,
    headline="A river rises & a dam <b>waits</b>",
    url="https://observatory.example/rivers?a=1&b=2",
    partner="River Observatory",
    homepage="https://observatory.example/",
    dek="What the gauges say.",
    byline="Nora Weir",
    section_line="Analysis | Rivers",
    credit_line="Republished with permission from River Observatory.",
    html='<p>Water rose on Monday. It &lt;has not&gt; fallen since.</p><h3>Upstream</h3><p>See the <a href="https://observatory.example/map">map</a>.</p>',
    paragraphs=("Water rose on Monday. It <has not> fallen since.", "## Upstream", "See the map."),
    whole=True,
    image=Image(url="https://observatory.example/river.JPG", caption="The river", credit="P. Ebble", alt="Brown water"),
    language="en",
    published_at=DATED - timedelta(hours=9),
    also_at=(Source(partner="A Magazine", url="https://magazine.example/1"),),
)
ARABIC = Piece(
    item_id=12,
    story_id=8,
    feed_id="marsad",
    role=Role.TEASER,
    headline="النهر يرتفع",
    url="https://marsad.example/1",
    partner="مرصد الأنهار",
    html="<p>ارتفع منسوب المياه يوم الاثنين.</p>",
    paragraphs=("ارتفع منسوب المياه يوم الاثنين.",),
    language="ar",
    direction=Direction.RTL,
)
HOSTILE = Piece(
    item_id=13,
    story_id=9,
    feed_id="hostile",
    role=Role.TEASER,
    headline="]]> \x00\x0b\ud800\u202e\ufffe <script>alert(1)</script> &#0; =?utf-8?b?eA==?=\r\nBcc: x",
    url="java\nscript:alert(1)",
    partner="\x1b[31m]]>",
    dek="\x08]]>",
    byline='"/><x>\ud834',
    section_line="\x01|]]>",
    credit_line="© \x02 <i>",
    html='<p onclick="x()">&#1;]]>\x03<script>alert(1)</script><a href="javascript:x">y</a><img src="http://t.example/p.gif"></p>',
    image=Image(url="data:image/png;base64,AAAA", caption="\x04"),
    language='en"><x',
    also_at=(Source(partner="x", url="file:///etc/passwd"),),
)


def an_edition(number: int = 1, *pieces: Piece) -> tuple[Edition, Draft]:
    dated_at = DATED + timedelta(days=number - 1)
    draft = Draft(
        id=f"daily-{dated_at:%Y-%m-%d}",
        number=number,
        digest=Digest(
            id="daily",
            list_id="brief",
            schedule=None,
            subject="{{ lead.headline }}",
            timezone="Europe/London",
            sections=(Section(title="World"),),
        ),
        mailing_list=BRIEF,
        publication=PUBLICATION,
        dated_at=dated_at,
        parts=(Part(title="World", pieces=pieces or (LEAD, ARABIC)),),
    )
    edition = Edition(
        id=draft.id,
        digest_id="daily",
        list_id="brief",
        number=number,
        state=EditionState.FINISHED,
        subject=f"Rivers, number {number}",
        slot=f"{dated_at:%Y-%m-%dT%H:%M}",
        dated_at=dated_at,
        frozen_at=dated_at,
        template_hash="0" * 64,
    )
    return edition, draft


def made(
    form: Form, *editions: tuple[Edition, Draft], page: Page | None = None, publication: Publication = PUBLICATION
) -> bytes:
    return feed_of(
        editions or (an_edition(),),
        publication=publication,
        mailing_list=BRIEF,
        page=page or newest_page(max((draft.number for _, draft in editions), default=1)),
        form=form,
    )


def moved(publication: Publication = PUBLICATION) -> Publication:
    """The publication after it has got another address and name."""
    return replace(publication, name="Another Name", base_url="https://elsewhere.example")
