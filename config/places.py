"""Where the embedded services keep their state and their sockets."""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent
STATE = Path(os.environ.get("MALL_STATE", "").strip() or BASE / "var").absolute()

_LONGEST_SOCKET_NAME = len("/.s.PGSQL.5432.lock")
_LONGEST_SOCKET_PATH = 103  # bytes; Linux takes 107 and macOS 103
_PLAIN_PATH = re.compile(r"[A-Za-z0-9._/-]+")  # needs no quoting in any URL


class ServiceError(Exception):
    """An embedded service that can't run here; the message says why and what to do."""


@dataclass(frozen=True)
class Place:
    """One set of embedded services: everything it writes is under `state`, or where `state` says."""

    state: Path = STATE

    @property
    def digest(self) -> str:
        """Tells this checkout from others on the machine."""
        return hashlib.sha256(os.fsencode(self.state)).hexdigest()[:12]

    def sockets(self, wanted: Path) -> Path:
        """`wanted`, or a short plain folder where its name would not fit into a socket's address or a URL."""
        fits = len(os.fsencode(wanted)) + _LONGEST_SOCKET_NAME <= _LONGEST_SOCKET_PATH
        if fits and _PLAIN_PATH.fullmatch(str(wanted)):
            return wanted
        return Path(f"/tmp/mall-{self.digest}-{wanted.parent.name}")

    def make(self) -> None:
        """Create `state` so that a service of another user can pass through it."""
        self.state.mkdir(exist_ok=True, parents=True)
        if self.state.stat().st_mode & 0o011 != 0o011:
            self.state.chmod(self.state.stat().st_mode | 0o011)


def can_enter(folder: Path, *, uid: int, gid: int) -> bool:
    """Whether that user may enter `folder`: every folder on the way down lets it through."""
    for step in (folder, *folder.parents):
        status = step.stat()
        owner, group = status.st_uid == uid, status.st_gid == gid
        if not status.st_mode & (0o100 if owner else 0o010 if group else 0o001):
            return False
    return True
