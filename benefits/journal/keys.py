"""The signing keys of the journal: Ed25519, made from the secrets of JOURNAL_KEYS, the current one first.

A secret that was replaced stays in the list, or as `public:` and its public key, so that old signatures verify.
"""

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from benefits.journal.verify import canonical

PUBLIC = "public:"
_CONTEXT = b"benefits-mall\n"  # what was signed for the journal is a signature of nothing else


@dataclass(frozen=True)
class Key:
    """A key's id (the first 16 hexadecimal digits of its public key's SHA-256), the key, and its secret if kept."""

    id: str
    public: bytes
    secret: Ed25519PrivateKey | None


def current() -> Key:
    """The key that signs."""
    return _ring(tuple(settings.JOURNAL_KEYS))[0]


def known() -> dict[str, bytes]:
    """The public keys that ever signed, by id."""
    return {key.id: key.public for key in _ring(tuple(settings.JOURNAL_KEYS))}


def published() -> dict[str, Any]:
    """The public keys as keys.json gives them."""
    return {"keys": [{"id": name, "public": key.hex()} for name, key in sorted(known().items())]}


def signed(statement: Mapping[str, Any]) -> dict[str, Any]:
    """The statement with the current key's id and its signature."""
    key = current()
    assert key.secret is not None  # config.env has refused a first key without its secret
    whole = {**statement, "key": key.id}
    return {**whole, "signature": key.secret.sign(_CONTEXT + canonical(whole)).hex()}


def is_signed(statement: Mapping[str, Any]) -> bool:
    """Whether a signed statement is as one of our keys signed it."""
    body = {name: value for name, value in statement.items() if name != "signature"}
    public = known().get(statement["key"])
    if public is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(
            bytes.fromhex(statement["signature"]), _CONTEXT + canonical(body)
        )
    except InvalidSignature:
        return False
    return True


@functools.lru_cache(maxsize=8)
def _ring(texts: tuple[str, ...]) -> tuple[Key, ...]:
    return tuple(_key(text) for text in texts)


def _key(text: str) -> Key:
    if text.startswith(PUBLIC):
        public, secret = bytes.fromhex(text.removeprefix(PUBLIC)), None
    else:
        derive = HKDF(algorithm=hashes.SHA256(), length=32, salt=b"benefits-mall", info=b"journal")
        secret = Ed25519PrivateKey.from_private_bytes(derive.derive(text.encode()))
        public = secret.public_key().public_bytes_raw()
    return Key(hashlib.sha256(public).hexdigest()[:16], public, secret)
