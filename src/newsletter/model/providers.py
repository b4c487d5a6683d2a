"""Who receives for a domain: the big providers and the domains under which they give out addresses. Pure.

A provider counts what we send and complains about it as a whole, so its domains are paced together. Only names under
which people have mailboxes are here; the domains that companies have with a provider are the operator's to add.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from newsletter.model.settings import Provider

_HOTMAIL: Final = """com co.uk fr de it es be nl se no dk fi gr at ch pt ca com.ar com.br com.au com.tr co.jp co.th
 co.nz co.za co.il co.in cz hu lt lv my ph rs sg sk cl"""
_LIVE: Final = """com co.uk fr de it nl be se no dk ca at ch ie pt ru cl cn com.ar com.au com.mx com.my com.pt com.sg
 co.za co.in co.kr fi hk in jp"""
_OUTLOOK: Final = """com fr de es it be at dk ie pt jp kr cl cz hu in lv my ph sa sg sk com.ar com.au com.br com.gr
 com.tr com.vn co.id co.il co.th"""
_YAHOO: Final = """com co.uk fr de it es ca ie se no dk gr ro pl pt at be nl ch cz hu fi co.in in co.jp ne.jp co.id
 co.kr co.nz co.th co.za com.ar com.au com.br com.cn com.co com.hk com.mx com.my com.pe com.ph com.sg com.tr com.tw
 com.ua com.ve com.vn cl"""
_GMX: Final = "de net at ch com co.uk fr es us eu li org info biz"

DOMAINS: Final[Mapping[str, str]] = {
    "google": "gmail.com googlemail.com",
    "microsoft": "msn.com passport.com windowslive.com hotmail.* live.* outlook.*",
    "yahoo": "ymail.com rocketmail.com myyahoo.com yahoo.* aol.com aol.co.uk aol.de aol.fr aol.it aim.com love.com "
    "wow.com games.com verizon.net netscape.net att.net sbcglobal.net bellsouth.net pacbell.net ameritech.net "
    "swbell.net flash.net prodigy.net snet.net nvbell.net cs.com compuserve.com frontier.com frontiernet.net",
    "apple": "icloud.com me.com mac.com privaterelay.appleid.com",
    "gmx": "web.de email.de gmx.*",
    "mailcom": "mail.com email.com usa.com myself.com consultant.com post.com europe.com engineer.com writeme.com",
    "telekom": "t-online.de magenta.de",
    "proton": "proton.me protonmail.com protonmail.ch pm.me",
    "fastmail": "fastmail.com fastmail.fm fastmail.co.uk fastmail.net fastmail.org fastmail.de fastmail.jp "
    "messagingengine.com",
    "zoho": "zoho.com zohomail.com zoho.eu zohomail.eu zoho.in zohomail.in",
    "yandex": "yandex.ru yandex.com yandex.by yandex.kz yandex.ua yandex.com.tr ya.ru narod.ru",
    "mailru": "mail.ru inbox.ru list.ru bk.ru internet.ru xmail.ru",
    "rambler": "rambler.ru lenta.ru autorambler.ru myrambler.ru ro.ru rambler.ua",
    "tencent": "qq.com vip.qq.com foxmail.com",
    "netease": "163.com 126.com yeah.net vip.163.com vip.126.com 188.com",
    "sina": "sina.com sina.cn vip.sina.com",
    "naver": "naver.com",
    "kakao": "daum.net hanmail.net kakao.com",
    "docomo": "docomo.ne.jp",
    "rediff": "rediffmail.com rediff.com",
    "orange": "orange.fr wanadoo.fr",
    "free": "free.fr freesbee.fr libertysurf.fr worldonline.fr aliceadsl.fr online.fr",
    "sfr": "sfr.fr neuf.fr cegetel.net club-internet.fr numericable.fr 9online.fr",
    "laposte": "laposte.net",
    "libero": "libero.it virgilio.it iol.it inwind.it blu.it giallo.it",
    "tim": "tim.it alice.it tin.it telecomitalia.it",
    "tiscali": "tiscali.it tiscali.co.uk",
    "comcast": "comcast.net xfinity.com",
    "charter": "charter.net spectrum.net rr.com twc.com roadrunner.com",
    "cox": "cox.net",
    "bt": "btinternet.com btopenworld.com talk21.com bt.com",
    "virginmedia": "virginmedia.com ntlworld.com blueyonder.co.uk virgin.net",
    "ziggo": "ziggo.nl upcmail.nl chello.nl casema.nl quicknet.nl home.nl multiweb.nl zeggis.com",
    "kpn": "kpnmail.nl planet.nl hetnet.nl kpnplanet.nl xs4all.nl telfort.nl",
    "telenet": "telenet.be pandora.be",
    "proximus": "proximus.be skynet.be belgacom.net",
    "bluewin": "bluewin.ch",
    "seznam": "seznam.cz email.cz post.cz spoluzaci.cz",
    "wp": "wp.pl o2.pl tlen.pl go2.pl",
    "onet": "onet.pl onet.eu op.pl vp.pl poczta.onet.pl onet.com.pl",
    "interia": "interia.pl interia.eu poczta.fm interia.com",
    "uol": "uol.com.br bol.com.br",
    "terra": "terra.com.br terra.com.mx terra.es terra.com",
    "telstra": "bigpond.com bigpond.net.au telstra.com",
    "optus": "optusnet.com.au",
}
"""Name of a provider → its domains; `hotmail.*` stands for the endings in the list of that name."""

_ENDINGS: Final = {"hotmail": _HOTMAIL, "live": _LIVE, "outlook": _OUTLOOK, "yahoo": _YAHOO, "gmx": _GMX}


class Providers:
    """Finds the provider of an address. What the operator says of a domain goes before the table."""

    __slots__ = ("_of",)

    def __init__(self, ours: Iterable[Provider] = ()) -> None:
        self._of = dict(_TABLE)
        for provider in ours:
            self._of |= dict.fromkeys(provider.domains, provider.name)

    def of(self, address: str) -> str:
        """The provider's name; a domain that is nobody's we know is a provider of its own."""
        domain = address.rpartition("@")[2].lower()
        return self._of.get(domain, domain)


def _spelt_out(domain: str) -> list[str]:
    name, dot, rest = domain.partition(".")
    return [f"{name}.{ending}" for ending in _ENDINGS[name].split()] if dot and rest == "*" else [domain]


_TABLE: Final = {
    domain: name for name, domains in DOMAINS.items() for each in domains.split() for domain in _spelt_out(each)
}
