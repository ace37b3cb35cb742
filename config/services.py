"""The database, broker and cache: those that the environment names, or embedded ones under var/.

`python -m config.services start | stop | status | urls | remove`
"""

import fcntl
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from urllib.parse import quote

from config import postgres, valkey
from config.places import STATE, Place, ServiceError

__all__ = ["STATE", "ServiceError", "Urls", "ensure", "stop", "urls"]


@dataclass(frozen=True)
class Urls:
    """Where the database, the broker and the cache are."""

    database: str
    broker: str
    cache: str


def urls(place: Place | None = None) -> Urls:
    """What the environment names, else where the embedded services are or would be. Starts nothing."""
    place = place or Place()
    database, broker, cache = (_given(name) for name in ("DATABASE_URL", "BROKER_URL", "CACHE_URL"))
    memory = valkey.server(place).socket
    return Urls(
        database=database or _database_url(place),
        broker=broker or f"redis+socket://{memory}?virtual_host=0",
        cache=cache or f"unix://{memory}?db=1",
    )


def ensure(place: Place | None = None) -> tuple[str, ...]:
    """Start the embedded services that the environment does not replace; return the names of those started now.

    They outlive the process that started them. Raises ServiceError with a sentence for a person.
    """
    place = place or Place()
    wanted = _wanted()
    if not wanted or all(_answers(name, place) for name in wanted):
        return ()
    with _lock(place):
        return tuple(name for name in wanted if _start(name, place))


def stop(place: Place | None = None) -> tuple[str, ...]:
    """Stop the embedded services; return the names of those that were running."""
    place = place or Place()
    with _lock(place):
        stopped = []
        if valkey.stop(valkey.server(place)):
            stopped.append("valkey")
        if postgres.stop(postgres.server(place)):
            stopped.append("postgres")
        return tuple(stopped)


def remove(place: Place | None = None) -> None:
    """Stop the embedded services and delete what they keep outside var/, if anything."""
    place = place or Place()
    stop(place)
    for server in (postgres.server(place), valkey.server(place)):
        for folder in (server.home, server.sockets):
            if place.state not in folder.parents:
                shutil.rmtree(folder, ignore_errors=True)


def status(place: Place | None = None) -> dict[str, str]:
    """For each service: where it is given from, or whether the embedded one runs."""
    place = place or Place()
    states = {}
    for name in ("postgres", "valkey"):
        if name not in _wanted():
            states[name] = "given by the environment"
        else:
            states[name] = "running" if _answers(name, place) else "stopped"
    return states


def _given(name: str) -> str:
    return os.environ.get(name, "").strip()


def _wanted() -> list[str]:
    wanted = []
    if not _given("DATABASE_URL"):
        wanted.append("postgres")
    if not (_given("BROKER_URL") and _given("CACHE_URL")):
        wanted.append("valkey")
    return wanted


def _answers(name: str, place: Place) -> bool:
    if name == "postgres":
        return postgres.answers(postgres.server(place))
    return valkey.answers(valkey.server(place))


def _start(name: str, place: Place) -> bool:
    if name == "postgres":
        return postgres.start(postgres.server(place))
    return valkey.start(valkey.server(place))


def _database_url(place: Place) -> str:
    return f"postgresql:///{postgres.DATABASE}?host={quote(str(postgres.server(place).sockets))}&user={postgres.ROLE}"


@contextmanager
def _lock(place: Place) -> Iterator[None]:
    """One start or stop at a time; the kernel frees the lock whatever becomes of its holder."""
    place.make()
    with (place.state / "services.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(arguments: list[str]) -> int:
    """The command line: 0 where it did what was asked, 1 where a service is down or can't start, 2 on wrong usage."""
    if len(arguments) != 1 or arguments[0] not in ("start", "stop", "status", "urls", "remove"):
        print("usage: python -m config.services start | stop | status | urls | remove", file=sys.stderr)
        return 2
    try:
        match arguments[0]:
            case "start":
                print(f"started: {', '.join(ensure()) or 'nothing, all were running or given'}")
            case "stop":
                print(f"stopped: {', '.join(stop()) or 'nothing was running'}")
            case "status":
                states = status()
                print(json.dumps(states))
                return 1 if "stopped" in states.values() else 0
            case "remove":
                remove()
            case "urls":
                print(json.dumps(asdict(urls())))
    except ServiceError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
