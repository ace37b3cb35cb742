"""The compound files of old Office: enough to tell them apart and to reach one stream."""

from __future__ import annotations

import struct
from pathlib import Path

from .shapes import Kind, Rejected

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LAST_SECTOR = 0xFFFFFFFA  # larger numbers mark free, end-of-chain and table sectors


def kind_of(path: Path) -> Kind:
    """Only an old workbook may pass. Raises Rejected for an encrypted or another document."""
    names = {name.casefold() for name in CompoundFile(path.read_bytes()).streams}
    if "encryptedpackage" in names:
        raise Rejected("encrypted", "password")
    if not names & {"workbook", "book"}:
        raise Rejected("unsupported_format", "document")
    return "xls"


class CompoundFile:
    """A compound file in memory. Chains are cut at the number of sectors, so a loop ends."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        try:
            self._read_tables()
        except (struct.error, IndexError, ValueError) as error:
            raise Rejected("corrupt", "compound") from error

    def stream(self, *names: str) -> bytes:
        """The bytes of the first of these streams that exists, or nothing."""
        for name in names:
            for found, (start, size) in self.streams.items():
                if found.casefold() == name.casefold():
                    return self._mini(start, size) if size < self._cutoff else self._chain(start, size)
        return b""

    def _read_tables(self) -> None:
        data = self._data
        (shift,) = struct.unpack_from("<H", data, 30)
        if shift not in (9, 12):
            raise ValueError(shift)
        self._sector = 1 << shift
        directory, _version, self._cutoff, mini_start = struct.unpack_from("<I4sII", data, 48)
        difat_next, difat_count = struct.unpack_from("<II", data, 68)
        fat_sectors = [s for s in struct.unpack_from("<109I", data, 76) if s <= _LAST_SECTOR]
        per_sector = self._sector // 4
        for _ in range(min(difat_count, len(data) // self._sector)):
            if difat_next > _LAST_SECTOR:
                break
            numbers = struct.unpack(f"<{per_sector}I", self._at(difat_next))
            fat_sectors += [s for s in numbers[:-1] if s <= _LAST_SECTOR]
            difat_next = numbers[-1]
        self._fat: list[int] = []
        for sector in fat_sectors[: len(data) // self._sector + 1]:
            self._fat += struct.unpack(f"<{per_sector}I", self._at(sector))
        self.streams: dict[str, tuple[int, int]] = {}
        self._root = (0, 0)
        entries = self._chain(directory)
        for offset in range(0, len(entries) - 127, 128):
            self._add_entry(entries[offset : offset + 128])
        mini_fat = self._chain(mini_start) if mini_start <= _LAST_SECTOR else b""
        self._mini_fat = struct.unpack(f"<{len(mini_fat) // 4}I", mini_fat)

    def _add_entry(self, entry: bytes) -> None:
        length, kind = struct.unpack_from("<HB", entry, 64)
        start, size = struct.unpack_from("<II", entry, 116)
        if kind == 5:
            self._root = (start, size)
        elif kind == 2:
            name = entry[: max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
            self.streams[name] = (start, size)

    def _at(self, sector: int) -> bytes:
        start = (sector + 1) * self._sector
        piece = self._data[start : start + self._sector]
        if not piece:
            raise ValueError(sector)
        return piece.ljust(self._sector, b"\0")

    def _chain(self, sector: int, size: int | None = None) -> bytes:
        pieces: list[bytes] = []
        while sector <= _LAST_SECTOR and len(pieces) <= len(self._fat):
            pieces.append(self._at(sector))
            sector = self._fat[sector]
        return b"".join(pieces)[:size]

    def _mini(self, sector: int, size: int) -> bytes:
        store = self._chain(*self._root)
        pieces: list[bytes] = []
        while sector <= _LAST_SECTOR and len(pieces) <= len(self._mini_fat):
            pieces.append(store[sector * 64 : sector * 64 + 64])
            sector = self._mini_fat[sector]
        return b"".join(pieces)[:size]
