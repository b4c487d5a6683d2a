from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from newsletter.errors import NotFoundError
from newsletter.mailbox.box import Box, FolderBox, Mail, MemoryBox

CONTENT = b"From: The Brief <b@news.example>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\n.Text\r\n"
Make = Callable[..., Box]


@pytest.fixture(params=["memory", "folder"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    if request.param == "memory":
        return MemoryBox
    return lambda **limits: FolderBox(tmp_path / "mails", **limits)


def kept(box: Box, content: bytes = CONTENT, *, to: str = "anna@example.org") -> Mail:
    return box.keep(sender="bounces@bounce.example", recipients=(to,), content=content)


def test_a_kept_mail_is_there_with_its_envelope_and_its_very_bytes(make: Make) -> None:
    box = make()
    mail = kept(box)
    assert box.listed() == (mail,)
    assert box.find(mail.id) == mail
    assert box.content(mail.id) == CONTENT
    assert (mail.sender, mail.recipients) == ("bounces@bounce.example", ("anna@example.org",))
    assert (mail.subject, mail.author, mail.size_bytes) == ("Grüße", "The Brief <b@news.example>", len(CONTENT))


def test_the_newest_come_first_and_the_oldest_go(make: Make) -> None:
    box = make(limit=3)
    mails = [kept(box) for _ in range(5)]
    assert box.listed() == tuple(reversed(mails[2:]))
    with pytest.raises(NotFoundError):
        box.content(mails[0].id)


@pytest.mark.parametrize("name", ["nothing", "../../etc/passwd", "00000001.json", ""])
def test_a_name_that_is_no_mail_is_not_found(make: Make, name: str) -> None:
    box = make()
    kept(box)
    with pytest.raises(NotFoundError):
        box.content(name)


def test_mails_kept_from_many_threads_are_all_there(make: Make) -> None:
    box = make()
    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(lambda _: kept(box).id, range(100)))
    assert {mail.id for mail in box.listed()} == ids
    assert len(ids) == 100


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no header at all",
        b"Subject: =?no-such-charset?q?x?=\r\n\r\n",
        b"Subject: \xff\xfe\r\nFrom: <<<>>\r\n\r\n",
        b"From: =?utf-8?q?a?= <a@b\r\n\r\n",
        b"\x00\r\n\r\n",
    ],
)
def test_odd_mail_is_kept_too(make: Make, content: bytes) -> None:
    box = make()
    assert box.content(kept(box, content).id) == content


def test_a_folder_remembers_and_goes_on_counting(tmp_path: Path) -> None:
    first = kept(FolderBox(tmp_path))
    again = FolderBox(tmp_path)
    second = kept(again)
    assert again.listed() == (second, first)
    assert again.content(first.id) == CONTENT
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "00000001.eml",
        "00000001.json",
        "00000002.eml",
        "00000002.json",
    ]


def test_a_mail_that_was_not_written_to_its_end_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "00000001.eml").write_bytes(CONTENT)
    (tmp_path / "00000001.json.part").write_bytes(b'{"id": "0000')
    box = FolderBox(tmp_path)
    assert box.listed() == ()
    assert kept(box).id == "00000001"
