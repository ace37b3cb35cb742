"""Field encryption and blind indexes: AES-256-GCM under keys derived for each schema and purpose.

A stored value is `<key id>.<base64 of nonce and ciphertext>`. The schema and the column are bound into it,
so that a value copied to another company or column does not open.
"""

import base64
import binascii
import functools
import hashlib
import hmac
import os
from collections.abc import Callable, Sequence
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models

from tenants.db import connection


@functools.lru_cache(maxsize=4096)
def _derived(key_id: str, schema: str, purpose: str) -> bytes:
    secret = settings.FIELD_KEYS[key_id]
    info = f"{schema}\x00{purpose}".encode()
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=b"benefits-mall", info=info).derive(secret)


def _current_key() -> str:
    return next(iter(settings.FIELD_KEYS))


def encrypt_bytes(data: bytes, *, schema: str, purpose: str) -> bytes:
    """Seal bytes for one schema and purpose; the key id and nonce travel in front."""
    key_id, nonce = _current_key(), os.urandom(12)
    sealed = AESGCM(_derived(key_id, schema, purpose)).encrypt(nonce, data, f"{schema}\x00{purpose}".encode())
    return key_id.encode() + b"." + nonce + sealed


def decrypt_bytes(token: bytes, *, schema: str, purpose: str) -> bytes:
    """Open what `encrypt_bytes` sealed for the same schema and purpose; raises InvalidTag otherwise."""
    key_id, _, rest = token.partition(b".")
    key = _derived(key_id.decode(), schema, purpose)
    return AESGCM(key).decrypt(rest[:12], rest[12:], f"{schema}\x00{purpose}".encode())


def encrypt(text: str, *, schema: str, purpose: str) -> str:
    """Seal a text; the result is ASCII."""
    key_id, _, rest = encrypt_bytes(text.encode(), schema=schema, purpose=purpose).partition(b".")
    return f"{key_id.decode()}.{base64.b64encode(rest).decode()}"


def decrypt(token: str, *, schema: str, purpose: str) -> str:
    """Open what `encrypt` sealed for the same schema and purpose."""
    key_id, _, rest = token.partition(".")
    return decrypt_bytes(
        f"{key_id}.".encode() + base64.b64decode(rest), schema=schema, purpose=purpose
    ).decode()


def sealer(*, schema: str, purpose: str) -> Callable[[str], str]:
    """`encrypt` for many texts of one schema and purpose, with the key prepared once."""
    key_id, bound = _current_key(), f"{schema}\x00{purpose}".encode()
    seal, prefix, encode = AESGCM(_derived(key_id, schema, purpose)).encrypt, f"{key_id}.", base64.b64encode

    def sealed(text: str) -> str:
        nonce = os.urandom(12)
        return prefix + encode(nonce + seal(nonce, text.encode(), bound)).decode()

    return sealed


def seal_all(texts: Sequence[str | None], *, schema: str, purpose: str) -> list[str]:
    """`encrypt` for a column of texts; None and the empty text stay empty."""
    key_id, bound = _current_key(), f"{schema}\x00{purpose}".encode()
    seal, prefix, encode = (
        AESGCM(_derived(key_id, schema, purpose)).encrypt,
        f"{key_id}.",
        binascii.b2a_base64,
    )
    drawn = os.urandom(12 * len(texts))
    nonces = [drawn[start : start + 12] for start in range(0, len(drawn), 12)]
    return [
        prefix + encode(nonce + seal(nonce, text.encode(), bound), newline=False).decode() if text else ""
        for nonce, text in zip(nonces, texts, strict=True)
    ]


def opener(*, schema: str, purpose: str) -> Callable[[str], str]:
    """`decrypt` for many texts of one schema and purpose, with each key prepared once."""
    bound, decode = f"{schema}\x00{purpose}".encode(), base64.b64decode
    keys: dict[str, Callable[[bytes, bytes, bytes], bytes]] = {}

    def opened(token: str) -> str:
        key_id, _, rest = token.partition(".")
        opens = keys.get(key_id)
        if opens is None:
            opens = keys[key_id] = AESGCM(_derived(key_id, schema, purpose)).decrypt
        data = decode(rest)
        return opens(data[:12], data[12:], bound).decode()

    return opened


def indexer(*, purpose: str, schema: str | None = None) -> Callable[[str], str]:
    """`blind_index` for many values of one schema and purpose, with the key prepared once."""
    key = _derived(_index_key(), schema or connection.schema_name, f"index:{purpose}")
    prepared = hmac.new(key, digestmod=hashlib.sha256)

    def indexed(value: str) -> str:
        one = prepared.copy()
        one.update(value.encode())
        return one.hexdigest()

    return indexed


def blind_index(value: str, *, purpose: str, schema: str | None = None) -> str:
    """A keyed digest by which an encrypted value can be looked up inside one schema."""
    key = _derived(_index_key(), schema or connection.schema_name, f"index:{purpose}")
    return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()


def _index_key() -> str:
    # The oldest key: indexes are not re-made when a new encryption key is added in front.
    return list(settings.FIELD_KEYS)[-1]


class EncryptedTextField(models.TextField):
    """A text that the database holds only in sealed form.

    `home="public"` for a model of the public schema, whichever schema is active when it is written;
    a company's model is sealed for the company that is active.
    """

    def __init__(self, *args: Any, home: str = "", **kwargs: Any) -> None:
        self.home = home
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        if self.home:
            kwargs["home"] = self.home
        return name, path, args, kwargs

    def _context(self) -> dict[str, str]:
        return {
            "schema": self.home or connection.schema_name,
            "purpose": f"{self.model._meta.label_lower}.{self.attname}",
        }

    def sealer(self) -> Callable[[str], str]:
        """Seals many texts as this column holds them, in the schema that is active now."""
        return sealer(**self._context())

    def seal_all(self, texts: Sequence[str | None]) -> list[str]:
        """These texts as this column holds them, in the schema that is active now."""
        return seal_all(texts, **self._context())

    def opener(self) -> Callable[[str], str]:
        """Opens many of this column's texts, in the schema that is active now."""
        return opener(**self._context())

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return encrypt(value, **self._context()) if value else value

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return decrypt(value, **self._context()) if value else value
