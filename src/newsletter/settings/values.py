"""From checked tables to the nouns of the model."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar
from urllib.parse import quote, urlsplit

from newsletter.model.feed import Feed, Filter, Rights
from newsletter.model.publication import Digest, MailingList, Publication, Section
from newsletter.model.settings import Collect, Deliver, DkimKey, Listen, Provider, Relay, Secret, Settings, Web
from newsletter.model.trouble import Patience
from newsletter.settings import feedfile, schema

T = TypeVar("T")


def settings_from(config: schema.ConfigFile, feeds: dict[str, Feed], *, default_store: Secret) -> Settings:
    """The whole site, once every file has been checked. `default_store` is where the state is if no key says so."""
    return Settings(
        publication=publication_from(config.publication),
        store_url=_store_url(config.store, default=default_store),
        relays=tuple(map(_relay, config.relays)),
        providers=tuple(_provider(name, table) for name, table in config.providers.items()),
        collect=_collect(config),
        deliver=_deliver(config.deliver),
        web=_web(config.web, config.publication.base_url),
        metrics=_metrics(config.metrics),
        dkim=tuple(map(_dkim_key, config.dkim)),
        site_key=config.publication.key_file,
        lists=tuple(_mailing_list(name, table) for name, table in config.lists.items()),
        digests=tuple(_digest(name, config, feeds=tuple(feeds)) for name in config.digests),
        feeds=tuple(feeds.values()),
    )


def publication_from(table: schema.PublicationTable) -> Publication:
    """Who publishes."""
    return Publication(
        name=table.name,
        base_url=table.base_url,
        sender=table.sender,
        reply_to=table.reply_to,
        bounce_address=table.bounce_address,
        language=table.language,
        timezone=table.timezone,
        postal_address=table.postal_address,
        links=tuple(table.links.items()),
        hub=table.hub,
    )


def feed_from(name: str, table: feedfile.FeedFile) -> Feed:
    """One feed; its name is its id."""
    return Feed(
        id=name,
        url=table.url,
        partner=table.partner,
        homepage=table.homepage or "",
        kind=table.kind,
        topics=tuple(table.topics),
        language=table.language,
        poll_every=table.poll_every,
        original=table.original,
        first_poll=table.first_poll,
        enabled=table.enabled,
        encoding=table.encoding,
        full_text=table.full_text,
        rights=_shared(
            Rights(
                reuse=table.rights.reuse,
                credit=table.rights.credit,
                embargo=table.rights.embargo,
                expires=table.rights.expires,
            )
        ),
        filter=_shared(Filter(include=tuple(table.filter.include), exclude=tuple(table.filter.exclude))),
    )


@lru_cache(maxsize=1024)
def _shared(value: T) -> T:
    """An equal value that there is already: most feeds have the same rights, and no filter."""
    return value


def _store_url(table: schema.StoreTable, *, default: Secret) -> Secret:
    url = table.url or table.url_file or default
    password = table.password or table.password_file
    parts = urlsplit(url.reveal())
    if password is None or parts.scheme != "postgresql":
        return url
    user = parts.netloc.rpartition("@")[0].partition(":")[0]
    host = parts.netloc.rpartition("@")[2]
    return Secret(parts._replace(netloc=f"{user}:{quote(password.reveal(), safe='')}@{host}").geturl())


def _relay(table: schema.RelayTable) -> Relay:
    return Relay(
        name=table.name,
        host=table.url.host,
        port=table.url.port,
        tls=table.url.tls,
        username=table.username or table.url.username,
        password=table.password or table.password_file or table.url.password,
        connections=table.connections,
        rate_per_minute=table.rate,
        weight=table.weight,
        warm_up=tuple(table.warm_up),
        warm_up_from=table.warm_up_from,
    )


def _provider(name: str, table: schema.ProviderTable) -> Provider:
    return Provider(name=name, domains=tuple(table.domains), rate_per_minute=table.rate)


def _dkim_key(table: schema.DkimTable) -> DkimKey:
    return DkimKey(
        domain=table.domain, selector=table.selector, key_file=table.key_file.path, pem=table.key_file.content
    )


def _collect(config: schema.ConfigFile) -> Collect:
    table = config.collect
    return Collect(
        user_agent_contact=table.user_agent_contact or config.publication.base_url,
        allow_private_hosts=tuple(table.allow_private_hosts),
        timeout=table.timeout,
        max_body_bytes=table.max_body_bytes,
        concurrency=table.concurrency,
        check_links=table.check_links,
        websub=config.publication.base_url.startswith("https:") if table.websub is None else table.websub,
    )


def _deliver(table: schema.DeliverTable) -> Deliver:
    return Deliver(
        unknown=table.unknown,
        rate_per_minute=table.rate,
        first_wait=table.first_wait,
        longest_wait=table.longest_wait,
        give_up_after=table.give_up_after,
        patience=Patience(
            threshold=table.bounce_score_threshold,
            half_life=table.bounce_score_half_life,
            at_least=table.bounce_score_at_least,
        ),
    )


def _web(table: schema.WebTable, base_url: str) -> Web:
    allowed = tuple(table.allowed_hosts)
    if table.listen is not None:
        listen = _listen(table.listen)
        return Web(host=listen.host, port=listen.port, allowed_hosts=allowed)
    # Only a loopback base_url may be http.
    base = urlsplit(base_url)
    if base.scheme == "http":
        return Web(host=base.hostname or "127.0.0.1", port=base.port or 80, allowed_hosts=allowed)
    return Web(allowed_hosts=allowed)


def _metrics(table: schema.MetricsTable) -> Listen | None:
    return None if table.listen is None else _listen(table.listen)


def _listen(text: str) -> Listen:
    host, _, port = text.rpartition(":")
    return Listen(host=host.strip("[]"), port=int(port))


def _mailing_list(name: str, table: schema.ListTable) -> MailingList:
    return MailingList(
        id=name,
        title=table.title,
        description=table.description,
        double_opt_in=table.double_opt_in,
        language=table.language,
    )


def _digest(name: str, config: schema.ConfigFile, *, feeds: tuple[str, ...]) -> Digest:
    table = config.digests[name]
    return Digest(
        id=name,
        list_id=table.mailing_list,
        schedule=table.schedule,
        subject=table.subject,
        timezone=table.timezone or config.publication.timezone,
        title=table.title or config.lists[table.mailing_list].title,
        approval=table.approval,
        min_items=table.min_items,
        max_items=table.max_items,
        catch_up=table.catch_up,
        full=table.full,
        when_few=table.when_few,
        tracking=tuple(dict.fromkeys(table.tracking)),
        already_sent=table.already_sent,
        weekly=table.weekly,
        segment=table.segment,
        sections=_sections(table, every_feed=feeds),
    )


def _sections(table: schema.DigestTable, *, every_feed: tuple[str, ...]) -> tuple[Section, ...]:
    """The digest's parts. One without feeds takes from all of the digest's, or of the site's if it names none."""
    of_digest = tuple(table.feeds) or every_feed
    if not table.sections:
        return (Section(title="", feeds=of_digest),)
    return tuple(
        Section(
            title=section.title,
            feeds=tuple(section.feeds) or of_digest,
            topics=tuple(section.topics),
            max_items=section.max_items,
        )
        for section in table.sections
    )
