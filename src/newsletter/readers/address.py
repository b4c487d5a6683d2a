"""What counts as a mail address. When two are the same, `model.subscriber.address_key` says."""

from __future__ import annotations

import email_validator

from newsletter.errors import AddressError

_LONGEST = 254
# Mail is delivered to these on intranets and in tests; the library's own advice is to take them off its list.
for _name in ("local", "localhost", "test"):
    if _name in email_validator.SPECIAL_USE_DOMAIN_NAMES:
        email_validator.SPECIAL_USE_DOMAIN_NAMES.remove(_name)


def checked(text: str) -> str:
    """The address as given, without the blanks around it; AddressError says what is wrong, without the address.

    Follows RFC 5321 and 6531: letters of any script are welcome. Whether the domain takes mail is not asked.
    """
    address = text.strip()
    if len(address) > _LONGEST:
        raise AddressError(f"longer than {_LONGEST} characters")
    try:
        email_validator.validate_email(address, check_deliverability=False, strict=True)
    except email_validator.EmailNotValidError as error:
        raise AddressError(_reason(str(error))) from None
    return address


def _reason(said: str) -> str:
    """The library's reason as the end of a sentence of ours. It names characters at most, never the address."""
    return said[:1].lower() + said[1:].rstrip(".")
