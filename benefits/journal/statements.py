"""A checkpoint as it is signed, mailed and exported."""

from typing import Any

from benefits.journal.models import Checkpoint
from benefits.journal.records import moment
from benefits.journal.verify import canonical, sha256
from tenants.db import connection

VERSION = 1


def unsigned(checkpoint: Checkpoint) -> dict[str, Any]:
    """What is signed: whose journal, which records, their root, the chain's head, and what went before."""
    return {
        "version": VERSION,
        "company": connection.schema_name,
        "number": checkpoint.number,
        "first": checkpoint.first,
        "last": checkpoint.last,
        "root": bytes(checkpoint.root).hex(),
        "head": bytes(checkpoint.head).hex(),
        "previous": bytes(checkpoint.previous).hex(),
        "at": moment(checkpoint.at),
    }


def signed(checkpoint: Checkpoint) -> dict[str, Any]:
    """The same with the key's id and the signature."""
    return {**unsigned(checkpoint), "key": checkpoint.key, "signature": bytes(checkpoint.signature).hex()}


def digest(checkpoint: Checkpoint) -> bytes:
    """By which the next checkpoint names this one, signature and all."""
    return sha256(canonical(signed(checkpoint)))
