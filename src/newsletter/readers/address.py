"""What counts as a mail address. When two are the same, `model.subscriber.address_key` says."""

from __future__ import annotations

import re
from functools import lru_cache

import email_validator

from newsletter.errors import AddressError

# RFC 5321 section 4.5.3.1.3, without the brackets; counted as it is sent, where a letter may be several bytes.
_LONGEST_BYTES = 254
# What hardly any address goes beyond, and surely may stand before the @: the library is slow, and files are long.
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*")
_LONGEST_LOCAL = 64
# Mail is delivered to these on intranets and in tests; the library's own advice is to take them off its list.
for _name in ("local", "localhost", "test"):
    if _name in email_validator.SPECIAL_USE_DOMAIN_NAMES:
        email_validator.SPECIAL_USE_DOMAIN_NAMES.remove(_name)


def checked(text: str) -> str:
    """The address as given, without the blanks around it; AddressError says what is wrong, without the address.

    Follows RFC 5321 and 6531: letters of any script are welcome. Whether the domain takes mail is not asked.
    """
    address = text.strip()
    if len(address.encode("utf-8", "replace")) > _LONGEST_BYTES:
        raise AddressError(f"longer than {_LONGEST_BYTES} bytes")
    local, _, domain = address.rpartition("@")
    if not (len(local) <= _LONGEST_LOCAL and _PLAIN_LOCAL.fullmatch(local) and _is_domain(domain)):
        _check(address)
    return address


def _check(address: str) -> None:
    try:
        email_validator.validate_email(address, check_deliverability=False, strict=True)
    except email_validator.EmailNotValidError as error:
        raise AddressError(_reason(str(error))) from None


@lru_cache(maxsize=4096)
def _is_domain(domain: str) -> bool:
    """Whether addresses at this domain are addresses, as far as the domain goes: a long file names it many times."""
    try:
        _check(f"x@{domain}")
    except AddressError:
        return False
    return domain.isascii()


def _reason(said: str) -> str:
    """The library's reason as the end of a sentence of ours. It names characters at most, never the address."""
    return said[:1].lower() + said[1:].rstrip(".")
