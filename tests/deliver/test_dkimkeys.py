"""Keys and their DNS records."""

import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from newsletter.deliver.dkimkeys import Algorithm, Record, new_key, read_key, weaknesses, weaknesses_together
from newsletter.errors import DkimKeyError

RSA = new_key(Algorithm.RSA)
# 768 bits: too short to be anybody's secret, and the library no longer makes such.
SHORT = """\
-----BEGIN RSA PRIVATE KEY-----
MIIBygIBAAJhAOA1Ty2axcT3R/+Gb5ccH0eJBgQ8dI2F7vColwa63apb+DYJR0P+
yyYks17tQFlJUlqYoHML9T336wSmIgRBkhO63EU5fuAi51Zx3tsVYzfMAQUoYMfG
1pJ5yglpURuLDQIDAQABAmB76lq5bMoTQ0wimK2CCcPr6HpPyw3rzfMyRSs7R/oN
FsmHK/ecR+0FRtFwDJY9Ar0deHj7gFj2mIRzk0YKuoLHGc6kVFbrrUjxY/A7FKzH
YyjBqm6FYvI1D51Wosa+uSECMQD1dVUaIH8JENiTyd8q4wYmmrSTWicbcZmz7O7L
E4hD1AbVAFyB1BzABuIqOVtzKoUCMQDp1lhGPpiZPVyNZtykio+P09i/VFqziauP
Y0bgD3ub5fB/3zCGiWmf4zrxrsmF+OkCMQCHgK1pTfUzOQSGmZPEZi2YFCGJkuQx
50WVqT+uBetcnmjjH17yIPl6HJKwApf0fM0CMB5wU29ZaJ3R+gFCGYilrMhpKDbH
sULbseRpZOl3unxxsxvCHtv0eTZh6uNZAEybOQIwdQIUhpQqzWmDMAptPAqQGvkT
uEfzYWHuKE8txDqqZ12xrySMnGSC75HoCzeOpHgH
-----END RSA PRIVATE KEY-----
"""


def loaded(pem: str) -> rsa.RSAPrivateKey:
    key = load_pem_private_key(pem.encode(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def pem_of_bits(bits: int) -> str:
    key = rsa.generate_private_key(65537, bits)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def with_password() -> str:
    return loaded(RSA).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")).decode()


def public_half() -> str:
    return loaded(RSA).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def elliptic() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_new_key_can_be_read_and_is_of_its_kind(algorithm: Algorithm) -> None:
    key = read_key(new_key(algorithm))

    assert key.algorithm is algorithm
    assert key.bits == {Algorithm.RSA: 2048, Algorithm.ED25519: 256}[algorithm]


def test_the_older_form_of_rsa_keys_is_read_too() -> None:
    pkcs1 = loaded(RSA).private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    assert "BEGIN RSA PRIVATE KEY" in pkcs1

    assert read_key(pkcs1).public() == read_key(RSA).public()


@pytest.mark.parametrize(
    ("pem", "rule"),
    [
        ("hunter2", "expected a private key in PEM: there is none in it"),
        (public_half(), "expected a private key in PEM: this is the public half"),
        (RSA[:600] + RSA[700:], "expected a private key in PEM: it is damaged"),
        (with_password(), "expected a key without a password"),
        (elliptic(), "expected an RSA or Ed25519 key"),
        (SHORT, "expected an RSA key of at least 1024 bits, better 2048"),
    ],
    ids=["no key", "public", "damaged", "password", "elliptic", "short"],
)
def test_what_cannot_sign_is_refused_by_rule_and_never_shown(pem: str, rule: str) -> None:
    with pytest.raises(DkimKeyError) as refused:
        read_key(pem)

    error: BaseException | None = refused.value
    assert str(error) == rule
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    assert not [line for line in pem.splitlines() if line in repr(error)]


def test_a_key_does_not_show_itself() -> None:
    key = read_key(RSA)

    assert repr(key) == str(key) == "PrivateKey()"


def test_a_record_is_split_into_strings_that_the_dns_can_carry() -> None:
    record = Record.of(read_key(RSA), domain="news.example.org", selector="n1")

    assert record.name == "n1._domainkey.news.example.org"
    assert record.value.startswith("v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A")
    assert [len(string) for string in record.strings] == [255, len(record.value) - 255]
    assert "".join(re.findall(r'"([^"]*)"', "\n".join(record.zone_lines))) == record.value
    assert record.zone_lines[0] == "n1._domainkey.news.example.org. 3600 IN TXT ("
    assert record.zone_lines[-1].endswith('" )')


def test_a_short_record_is_one_string() -> None:
    record = Record.of(read_key(new_key(Algorithm.ED25519)), domain="example.org", selector="e1")

    assert record.strings == (record.value,)
    assert re.fullmatch(r"v=DKIM1; k=ed25519; p=[A-Za-z0-9+/]{43}=", record.value)


def test_a_short_rsa_key_signs_but_is_called_weak() -> None:
    (weak,) = weaknesses(read_key(pem_of_bits(1024)))
    assert "RSA of 1024 bits" in weak
    assert list(weaknesses(read_key(RSA))) == []
    assert list(weaknesses(read_key(new_key(Algorithm.ED25519)))) == []


def test_ed25519_alone_is_called_weak() -> None:
    assert len(list(weaknesses_together([Algorithm.ED25519]))) == 1
    assert list(weaknesses_together([Algorithm.ED25519, Algorithm.RSA])) == []
    assert list(weaknesses_together([])) == []
