"""Small whole files of the kinds that banks give, and files that pretend."""

import struct
import zlib

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\nstartxref\n9\n%%EOF\n"


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\x00\x00"))
    + _chunk(b"IEND", b"")
)
JPEG = (
    b"\xff\xd8"
    b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
    b"\x12\x34\xff\x00\x56"
    b"\xff\xd9"
)
RUBBISH = {
    "nothing": b"",
    "text": b"hello",
    "html": b"<html><script>alert(1)</script></html>",
    "html before a pdf": b"<script>alert(1)</script>\n" + PDF,
    "a pdf that is cut": PDF[:-8],
    "a pdf with a zip behind it": PDF + b"PK\x05\x06" + b"\x00" * 18,
    "a png that is cut": PNG[:-4],
    "a png with a script behind it": PNG + b"<script>alert(1)</script>",
    "a png with a changed byte": PNG[:20] + b"\x09" + PNG[21:],
    "a png without its head": PNG[:8] + PNG[33:],
    "a png whose chunk is longer than the file": PNG[:8] + b"\xff\xff\xff\xff" + PNG[12:],
    "a jpeg that is cut": JPEG[:-2],
    "a jpeg with a zip behind it": JPEG + b"PK\x03\x04rest",
    "a jpeg with a second picture behind it": JPEG + JPEG,
    "a jpeg of markers alone": b"\xff\xd8\xff\xe0\x00\x02\xff\xd9",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "gif": b"GIF89a" + b"\x00" * 40,
    "an executable": b"MZ" + b"\x00" * 400,
}
