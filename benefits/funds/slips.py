"""Bank slips: told by their bytes, never by their name, and kept sealed in the folder of the company that paid.

A file is taken whole: an image with anything after its end, or a PDF with anything before its start, is refused, so
that no second kind of file can hide in it. Slips leave the house as attachments only.
"""

import hashlib
from dataclasses import dataclass
from uuid import uuid4
from zlib import crc32

from django.core.files.base import ContentFile, File
from django_tenants.utils import schema_context

from benefits.funds.errors import SlipTooLarge, SlipUnreadable
from benefits.funds.models import Deposit

MOST_BYTES = 5 * 1_048_576
CONTENT_TYPES = {"pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg"}
_PNG = b"\x89PNG\r\n\x1a\n"
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # JPEG markers without a length


@dataclass(frozen=True)
class Slip:
    """A slip that was looked at: its bytes and what they are."""

    data: bytes
    kind: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def read(file: File) -> Slip:
    """The slip in an uploaded file. Raises SlipTooLarge, SlipUnreadable."""
    data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise SlipTooLarge(megabytes=MOST_BYTES // 1_048_576)
    kind = kind_of(data)
    if not kind:
        raise SlipUnreadable
    return Slip(data=data, kind=kind)


def kind_of(data: bytes) -> str:
    """`pdf`, `png` or `jpg` if the bytes are one whole file of it, else nothing."""
    if _is_pdf(data):
        return "pdf"
    if _is_png(data):
        return "png"
    return "jpg" if _is_jpeg(data) else ""


def _is_pdf(data: bytes) -> bool:
    after = data.rstrip(b"\r\n \x00")
    return (
        data.startswith((b"%PDF-1.", b"%PDF-2."))
        and after.endswith(b"%%EOF")
        and b"startxref" in data[-2048:]
    )


def _is_png(data: bytes) -> bool:
    if not data.startswith(_PNG):
        return False
    at, first = len(_PNG), True
    while at + 12 <= len(data):
        size, name = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        end = at + 12 + size
        if end > len(data) or first != (name == b"IHDR"):
            return False
        if crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end]):
            return False
        if name == b"IEND":
            return end == len(data)
        at, first = end, False
    return False


def _is_jpeg(data: bytes) -> bool:
    """Segments up to the picture's own bytes, which the mark of its end closes as the file's last two bytes."""
    if not data.startswith(b"\xff\xd8\xff") or not data.endswith(b"\xff\xd9"):
        return False
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _ALONE or marker == 0xFF:
            at += 1 if marker == 0xFF else 2
            continue
        if marker == 0xDA:
            return b"\xff\xd9" not in data[at:-2]
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return False


def keep(slip: Slip, *, deposit: Deposit) -> None:
    """Seal a slip for the company of a deposit that is not saved yet, and name it there."""
    deposit.slip_kind, deposit.slip_digest = slip.kind, slip.digest
    with schema_context(deposit.account.company):
        deposit.slip.name = deposit.slip.storage.save(f"slips/{uuid4().hex}", ContentFile(slip.data))


def forget(deposit: Deposit) -> None:
    """Remove a slip whose deposit was not written after all."""
    with schema_context(deposit.account.company):
        deposit.slip.storage.delete(str(deposit.slip.name))


def open_slip(deposit: Deposit) -> Slip:
    """The kept slip. A file that is not what was kept is a broken store, and crashes."""
    with schema_context(deposit.account.company), deposit.slip.storage.open(str(deposit.slip.name)) as file:
        slip = Slip(data=file.read(), kind=deposit.slip_kind)
    if slip.digest != deposit.slip_digest:
        raise RuntimeError(f"the slip of deposit {deposit.pk} is not the one that was kept")
    return slip
