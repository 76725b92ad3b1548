"""Only a token that the site's own server signed, for this site and this day, says who somebody is."""

import base64
import hmac
import json

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from balie.contacts.identity import verify
from balie.kernel.errors import UnauthorisedError
from balie.organisations.model import SiteKey

NOW = 1_800_000_000_000
SECONDS = NOW // 1_000
SITE = "site-key"
SECRET = "s" * 43
PRIVATE = Ed25519PrivateKey.from_private_bytes(b"7" * 32)
PUBLIC = (
    PRIVATE.public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)


def site_key(kid, algorithm, material):
    return SiteKey(kid=kid, site_id="s", algorithm=algorithm, material=material, created_at=0)


KEYS = [site_key("one", "HS256", SECRET), site_key("two", "EdDSA", PUBLIC)]
GOOD = {
    "sub": "klant-7",
    "aud": SITE,
    "exp": SECONDS + 600,
    "name": "Ana",
    "email": "Ana@x.example",
}


def encoded(value):
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=")


def signed(claims, header=None, secret=SECRET):
    """As `jwt.encode`, of whatever JSON Python can write."""
    head = encoded({"alg": "HS256", "typ": "JWT", "kid": "one"} | (header or {}))
    body = head + b"." + encoded(claims)
    return (body + b"." + encoded(hmac.digest(secret.encode(), body, "sha256"))).decode()


def test_a_good_token_says_who():
    proof = verify(signed(GOOD), SITE, KEYS, NOW)
    assert (proof.external_id, proof.name, proof.email) == ("klant-7", "Ana", "ana@x.example")
    token = jwt.encode(GOOD, PRIVATE, "EdDSA", headers={"kid": "two"})
    assert verify(token, SITE, KEYS, NOW) == proof
    assert verify(signed(GOOD | {"exp": SECONDS - 30}), SITE, KEYS, NOW) == proof


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "another-site"},
        {"aud": None},
        {"aud": []},
        {"exp": SECONDS - 61},
        {"exp": SECONDS + 2 * 86_400},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"exp": -float("inf")},
        {"exp": -(10**18)},
        {"exp": 10**400},
        {"exp": str(SECONDS + 600)},
        {"exp": True},
        {"exp": None},
        {"exp": [SECONDS]},
        {"nbf": SECONDS + 600},
        {"nbf": float("nan")},
        {"nbf": "x"},
        {"sub": ""},
        {"sub": "   "},
        {"sub": "\u2800"},
        {"sub": 7},
        {"sub": None},
        {"sub": ["klant-7"]},
        {"sub": "x" * 201},
        {"sub": "\ud800"},
        {"sub": "a\0b"},
        {"sub": "a\nb"},
        {"sub": "a\u202eb"},
    ],
)
def test_claims_that_do_not_count(change):
    with pytest.raises(UnauthorisedError):
        verify(signed(GOOD | change), SITE, KEYS, NOW)


@pytest.mark.parametrize("missing", ["sub", "aud", "exp"])
def test_claims_that_must_be_there(missing):
    claims = {name: value for name, value in GOOD.items() if name != missing}
    with pytest.raises(UnauthorisedError):
        verify(signed(claims), SITE, KEYS, NOW)


def forged():
    good = signed(GOOD)
    head, body, sign = good.split(".")
    none = encoded({"alg": "none", "kid": "one"}).decode()
    yield from (
        "",
        ".",
        "..",
        "...",
        "x",
        "x.y.z",
        "é.é.é",
        "\0",
        "\ud800",
        "a" * 9_000,
        head,
        f"{head}.{body}",
    )
    yield f"{head}.{body}."
    yield f"{none}.{body}."
    yield f"{none}.{body}.{sign}"
    yield f"{encoded({'alg': 'NONE', 'kid': 'one'}).decode()}.{body}."
    yield good[:-1]
    yield good[:-2] + ("AA" if good[-2:] != "AA" else "BB")
    yield f"{head}.{encoded(GOOD | {'sub': 'klant-8'}).decode()}.{sign}"
    yield signed(GOOD, secret="another" * 8)
    yield signed(GOOD, secret="")
    # The public key, which everybody may know, taken for a shared secret.
    yield signed(GOOD, {"kid": "two"}, secret=PUBLIC)
    yield signed(GOOD, {"kid": "two", "alg": "HS256"}, secret=PUBLIC.strip())
    yield signed(GOOD, {"kid": "three"})
    yield signed(GOOD, {"kid": ["one"]})
    yield signed(GOOD, {"kid": None})
    yield signed(GOOD, {"alg": "HS512"})
    yield signed(GOOD, {"alg": ["HS256"]})
    yield signed(GOOD, {"crit": ["exp"]})
    yield signed(b"[" * 3_000)
    yield signed(b'{"a":' * 1_000)
    yield signed(b"\xff\xfe")
    yield signed([GOOD])
    yield signed("x")


@pytest.mark.parametrize("token", [*forged()], ids=lambda token: ascii(token)[:30])
def test_what_nobody_signed_says_nothing(token):
    with pytest.raises(UnauthorisedError):
        verify(token, SITE, KEYS, NOW)


def test_names_are_cleaned_and_never_a_reason_to_fail():
    for name in ("\ud800", "a\0b", "x" * 500, 7, None, ["x"], "\u202eanA", ""):
        proof = verify(signed(GOOD | {"name": name, "email": name}), SITE, KEYS, NOW)
        assert proof.name is None or proof.name.isprintable()
        assert proof.email is None


def test_a_site_without_keys_believes_nobody():
    with pytest.raises(UnauthorisedError):
        verify(signed(GOOD), SITE, [], NOW)
