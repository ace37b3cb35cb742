"""A database server and a broker of the storm's own, so that killing them disturbs nobody else's."""

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from config import postgres, services, valkey
from config.places import Place, ServiceError
from tests import environment

RESTART_SECONDS = 60


@contextlib.contextmanager
def private(state: Path) -> Iterator[Place]:
    """Run the embedded services in `state`, one storm at a time; stopped at the end, kept for the next storm."""
    place = Place(state)
    place.make()
    with (state / "storm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        environment.start_services()
        try:
            yield place
        finally:
            services.stop(place)


def kill_postmaster(place: Place) -> None:
    """Kill the database server's first process; the others notice and leave, and the next start recovers."""
    pid = int((postgres.server(place).data / "postmaster.pid").read_text().split("\n", 1)[0])
    os.kill(pid, signal.SIGKILL)


def kill_broker(place: Place) -> None:
    """Kill broker and cache, which loses up to a second of messages."""
    os.kill(int((valkey.server(place).home / "server.pid").read_text()), signal.SIGKILL)


def restart() -> None:
    """Start whichever service was killed; the database's other processes may take a moment to leave."""
    deadline = time.monotonic() + RESTART_SECONDS
    while True:
        try:
            environment.start_services()
            return
        except ServiceError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
