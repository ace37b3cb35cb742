"""What the sandbox read from an import's file, read once: kept sealed, so that applying and the same file again need not.

A kept reading is used only for the same bytes, the same choices and the same version of the reading code.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import pickle
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile

from benefits.roster import sandbox
from benefits.roster.errors import FileChanged
from benefits.roster.models import RosterImport, TaughtHeading
from benefits.roster.shapes import Checked, Choices, Column, Issue, Note, Person, SheetFound

_SHAPES: dict[str, Any] = {
    "employees": Person,
    "held": Person,
    "issues": Issue,
    "notes": Note,
    "sheets": SheetFound,
    "offered": Column,
}


def read(roster_import: RosterImport) -> Checked:
    """The fate of every row of the import's file, as people chose to read it. Raises FileChanged."""
    choices = _choices(roster_import)
    key = _key(roster_import.digest, choices)
    with opened_file(roster_import) as path:
        if found := _kept(key):
            return found
        checked = sandbox.check_file(path, choices)
    if checked.outcome == "ok":
        _keep(roster_import, key, checked)
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
            return _thawed(stored.read())
    except (OSError, pickle.UnpicklingError, zlib.error):
        return None


def _keep(roster_import: RosterImport, key: str, checked: Checked) -> None:
    older = roster_import.reading.name
    roster_import.reading.save("reading", ContentFile(_frozen(checked)), save=False)
    roster_import.reading_key = key
    roster_import.save(update_fields=["reading", "reading_key"])
    if older:
        roster_import.reading.storage.delete(older)


def _frozen(checked: Checked) -> bytes:
    plain = {field.name: getattr(checked, field.name) for field in fields(checked)}
    for name in _SHAPES:
        plain[name] = list(map(tuple, plain[name]))
    return zlib.compress(pickle.dumps(plain, protocol=5), 1)


def _thawed(data: bytes) -> Checked:
    plain = pickle.loads(zlib.decompress(data))  # noqa: S301  sealed by ourselves
    for name, shape in _SHAPES.items():
        plain[name] = tuple(map(shape._make, plain[name]))
    return Checked(**plain)
