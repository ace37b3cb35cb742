"""The evidence pack: a period's records, checkpoints and anchors, the public keys, and the program that verifies them."""

import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from django.db.models import Max, Min

from benefits.journal import keys, queries, records, statements
from benefits.journal.errors import NothingSealed, PackTooLarge
from benefits.journal.models import Anchor, Checkpoint, Entry
from benefits.journal.verify import canonical
from tenants.db import connection

HERE = Path(__file__).parent
_COPIES = {"verify.py": HERE / "verify.py", "README.txt": HERE / "pack_readme.txt"}


UNDER_WAY = timedelta(minutes=5)  # a checkpoint so young may have been made while the pack was


@dataclass(frozen=True)
class Pack:
    """What a pack holds."""

    first: int
    last: int
    checkpoints: int
    anchors: int


def export(
    folder: Path, *, since: datetime | None, until: datetime | None, at: datetime, most: int = 0
) -> Pack:
    """Write the pack of a period into a folder: every checkpoint made in it, and all that sealed a record of it.

    Raises NothingSealed, and PackTooLarge where `most` records are exceeded.
    """
    points = _points(since, until)
    first, last = points[0].first, points[-1].last
    if most and last - first + 1 > most:
        raise PackTooLarge(records=last - first + 1, limit=most)
    before = Checkpoint.objects.filter(number=points[0].number - 1).first()
    anchors = list(
        Anchor.objects.filter(checkpoint__in=[one.pk for one in points]).select_related("checkpoint")
    )
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "journal.jsonl").open("wb") as file:
        file.writelines(_lines(first, last))
    stated = [statements.signed(one) for one in [before, *points] if one]
    _write(folder / "checkpoints.json", {"checkpoints": stated})
    _write(folder / "anchors.json", {"anchors": [_anchor(one) for one in anchors]})
    _write(folder / "keys.json", keys.published())
    for name, source in _COPIES.items():
        shutil.copyfile(source, folder / name)
    _write(folder / "manifest.json", _manifest(folder, first, last, since=since, until=until, at=at))
    return Pack(first, last, len(points), len(anchors))


def zipped(folder: Path, target: IO[bytes]) -> None:
    """The pack in one file."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as box:
        for path in sorted(folder.iterdir()):
            box.write(path, path.name)


def _points(since: datetime | None, until: datetime | None) -> list[Checkpoint]:
    inside, made = Entry.objects.all(), Checkpoint.objects.all()
    if since:
        inside, made = inside.filter(at__gte=since), made.filter(at__gte=since)
    if until:
        inside, made = inside.filter(at__lt=until), made.filter(at__lt=until)
    by_record = inside.aggregate(first=Min("seq"), last=Max("seq"))
    by_seal = made.aggregate(first=Min("first"), last=Max("last"))
    firsts = [found["first"] for found in (by_record, by_seal) if found["first"]]
    lasts = [found["last"] for found in (by_record, by_seal) if found["last"]]
    if not firsts:
        raise NothingSealed
    return list(Checkpoint.objects.filter(last__gte=min(firsts), first__lte=max(lasts)).order_by("number"))


def _lines(first: int, last: int) -> Iterator[bytes]:
    for some in queries.entries(first, last):
        for entry, record in records.written(some):
            yield canonical({"hash": entry[5].hex(), "record": record}) + b"\n"


def _anchor(anchor: Anchor) -> dict[str, Any]:
    point = anchor.checkpoint
    return {
        "company": connection.schema_name,
        "number": point.number,
        "last": point.last,
        "head": bytes(point.head).hex(),
        "channel": anchor.channel,
        "at": records.moment(anchor.at),
    }


def _manifest(
    folder: Path, first: int, last: int, *, since: datetime | None, until: datetime | None, at: datetime
) -> dict[str, Any]:
    """What belongs to the pack, signed. Checkpoints made from `since` until `until` are all in it."""
    complete = min(until, at - UNDER_WAY) if until else at - UNDER_WAY
    return keys.signed(
        {
            "version": statements.VERSION,
            "company": connection.schema_name,
            "first": first,
            "last": last,
            "since": records.moment(since) if since else "",
            "until": records.moment(complete),
            "exported": records.moment(at),
            "files": {path.name: _digest(path) for path in sorted(folder.iterdir()) if path.name in FILES},
        }
    )


FILES = {"journal.jsonl", "checkpoints.json", "anchors.json", "keys.json", *_COPIES}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        digest = sha256()
        while some := file.read(1 << 20):
            digest.update(some)
    return digest.hexdigest()


def _write(path: Path, value: dict[str, Any]) -> None:
    path.write_bytes(canonical(value) + b"\n")
