"""`newsletter keys`, on a real site."""

from pathlib import Path

from newsletter.app import App
from newsletter.model.subscriber import Newcomer
from newsletter.readers.tokens import Purpose
from newsletter.site import open_site
from tests.cli.conftest import Run

ANN = Newcomer(address="ann@example.org", lists=("brief",))


def test_after_a_rotation_old_links_work_and_new_ones_are_sealed_anew(run: Run, site: Path) -> None:
    running = App.open(open_site(site))
    running.subscribers.suppress(ANN.address, reason="complaint", now=running.clock.now())
    old = [running.tokens.make(purpose, 7) for purpose in Purpose]

    assert run("keys", "rotate", "--site", site, "--json").document == {"keys": 2}
    assert run("keys", "rotate", "--site", site).out.startswith("3 keys in var/site.key")

    restarted = App.open(open_site(site))
    new = [restarted.tokens.make(purpose, 7) for purpose in Purpose]
    assert not set(old) & set(new)
    for app in (running, restarted):
        assert [app.tokens.read(purpose, token) for purpose, token in zip(Purpose, old, strict=True)] == [7] * len(old)
        assert [app.tokens.read(purpose, token) for purpose, token in zip(Purpose, new, strict=True)] == [7] * len(new)
    assert restarted.subscribers.is_suppressed(ANN.address), "no new key forgets who must not be mailed"
    assert (site / "var" / "site.key").stat().st_mode & 0o077 == 0
    running.close()
    restarted.close()


def test_keys_that_the_settings_keep_are_the_operators_to_change(run: Run, site: Path) -> None:
    (site / "links.key").write_text("a key that an operator made themselves\n")
    config = site / "config.toml"
    text = config.read_text()
    config.write_text(text.replace("[publication]\n", '[publication]\nkey_file = "links.key"\n', 1))
    ran = run("keys", "rotate", "--site", site)
    assert ran.code == 2
    assert "put a new one on top" in ran.err
