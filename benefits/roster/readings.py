"""What the sandbox read from an import's file, read once: kept sealed, so that applying and the same file again need not.

A kept reading is used only for the same bytes, the same choices and the same version of the reading code.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from django.core.files.base import ContentFile

from benefits.roster import sandbox
from benefits.roster.errors import FileChanged
from benefits.roster.models import RosterImport, TaughtHeading
from benefits.roster.shapes import Checked, Choices


def read(roster_import: RosterImport) -> Checked:
    """The fate of every row of the import's file, as people chose to read it. Raises FileChanged."""
    choices = _choices(roster_import)
    key = _key(roster_import.digest, choices)
    with opened_file(roster_import) as path:
        if found := _kept(key):
            return found
        answers: list[bytes] = []
        checked = sandbox.check_file(path, choices, told=answers.append)
    if checked.outcome == "ok":
        _keep(roster_import, key, *answers)
    return checked


@contextlib.contextmanager
def opened_file(roster_import: RosterImport) -> Iterator[Path]:
    """The stored file in the clear, for as long as it is read and no longer. Raises FileChanged."""
    with tempfile.TemporaryDirectory(prefix="roster-") as folder:
        path = Path(folder) / "roster"
        with roster_import.file.storage.open(roster_import.file.name or "") as stored:
            data = stored.read()
        if hashlib.sha256(data).hexdigest() != roster_import.digest:
            raise FileChanged
        path.write_bytes(data)
        yield path


def _choices(roster_import: RosterImport) -> Choices:
    taught = dict(TaughtHeading.objects.values_list("heading", "field"))
    return replace(roster_import.choices, spellings=taught)


def _key(digest: str, choices: Choices) -> str:
    text = json.dumps([digest, choices.as_json(), _version()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def _version() -> str:
    """Stands for the code that reads: another one may read the same file differently."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _kept(key: str) -> Checked | None:
    """A reading of the same bytes in the same way, where this company has one."""
    found = RosterImport.objects.filter(reading_key=key).exclude(reading="").first()
    if found is None:
        return None
    try:
        with found.reading.storage.open(found.reading.name or "") as stored:
            checked = sandbox.checked_of(zlib.decompress(stored.read()))
    except (OSError, zlib.error):
        return None
    return checked if checked.outcome == "ok" else None


def _keep(roster_import: RosterImport, key: str, answer: bytes) -> None:
    older = roster_import.reading.name
    roster_import.reading.save("reading", ContentFile(zlib.compress(answer, 1)), save=False)
    roster_import.reading_key = key
    roster_import.save(update_fields=["reading", "reading_key"])
    if older:
        roster_import.reading.storage.delete(older)
