"""The processes of the mall on one machine: web server, worker, beat and the supplier simulator.

`python -m config.processes` starts them and keeps serving: one that dies is started again, Ctrl-C or SIGTERM stops
every one. They write to var/log/<name>.log.
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from config import services
from config.env import WrongSetting, env_int
from config.places import BASE, STATE, ServiceError

PORT = 8000
READY_SECONDS = 90
STOP_SECONDS = 25
MOST_RESTARTS = 5  # of one process within a minute; then something is wrong that restarting does not cure

_PR_SET_PDEATHSIG = 1
_CELERY = (sys.executable, "-m", "celery", "--app", "config.celery")


class ProcessError(Exception):
    """A process that can't be started or kept running; the message says which and where to look."""


@dataclass
class Process:
    """One process of the mall: how it is started and how one sees that it is ready."""

    name: str
    command: list[str]
    ready: Callable[[], bool]
    state: Path = STATE
    handle: subprocess.Popen[bytes] | None = None
    restarts: list[float] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.state / "log" / f"{self.name}.log"

    @property
    def exit_status(self) -> int | None:
        return self.handle.poll() if self.handle else None


def the_mall(
    *, port: int, simulator_port: int, faults: str = "none", goods: Path | None = None
) -> list[Process]:
    """Everything that runs, in the order in which it is started."""
    return [simulator(port=simulator_port, faults=faults, goods=goods), web(port=port), worker(), beat()]


def simulator(
    *, port: int, faults: str = "none", seed: int = 1, goods: Path | None = None, state: Path = STATE
) -> Process:
    """The supplier simulator, whose books lie in the folder simulator/."""
    command = [
        sys.executable,
        *("-m", "benefits.suppliers.simulator", f"--port={port}", f"--seed={seed}", f"--faults={faults}"),
        f"--state={state / 'simulator'}",
        *([f"--goods={goods}"] if goods else []),
    ]
    return Process("simulator", command, _answers(port, "/_sim/health"), state)


def web(*, port: int, state: Path = STATE) -> Process:
    """The web server on the loopback address."""
    command = [
        sys.executable,
        *("-m", "gunicorn", "config.wsgi:application"),
        "--config=python:config.gunicorn",
        f"--bind=127.0.0.1:{port}",
    ]
    return Process("web", command, _answers(port, "/-/ready"), state)


def worker(*, state: Path = STATE) -> Process:
    """The process that runs tasks."""
    command = [
        *_CELERY,
        "worker",
        "--loglevel=INFO",
        "--concurrency=2",
        "--without-gossip",
        "--without-mingle",
    ]
    return Process("worker", command, _worker_answers, state)


def beat(*, state: Path = STATE) -> Process:
    """The clock that rings the sweeps; what it forgot with its schedule file it rings at once."""
    command = [*_CELERY, "beat", "--loglevel=INFO", f"--schedule={state / 'beat'}", "--pidfile="]
    return Process("beat", command, lambda: True, state)


@contextlib.contextmanager
def running(processes: list[Process], *, environment: Mapping[str, str]) -> Iterator[None]:
    """Start the processes, wait until all are ready, watch them, and stop every one at the end."""
    stopping = threading.Event()
    try:
        for process in processes:
            _start(process, environment)
        for process in processes:
            _await_ready(process)
        watcher = threading.Thread(target=_watch, args=(processes, environment, stopping), daemon=True)
        watcher.start()
        yield
    finally:
        stopping.set()
        with _deaf_to_signals():
            _stop(processes)


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Refuse a second supervisor of the same var/."""
    STATE.mkdir(parents=True, exist_ok=True)
    with (STATE / "processes.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ProcessError(
                "The mall is already running from this folder: stop it first (Ctrl-C there)."
            ) from None
        yield


@contextlib.contextmanager
def embedded_services() -> Iterator[None]:
    """The database and the broker, started again where they die; those that this call started are stopped at the end."""
    started = services.ensure()
    stopping = threading.Event()
    keeper = threading.Thread(target=_keep_services, args=(stopping,), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stopping.set()
        keeper.join()
        if started:
            with _deaf_to_signals():
                services.stop()


def _keep_services(stopping: threading.Event) -> None:
    is_down = False
    while not stopping.wait(1):
        try:
            for name in services.ensure():
                print(f"{name} stopped and is started again.", file=sys.stderr, flush=True)
            is_down = False
        except ServiceError as error:  # the processes of a killed database take a moment to leave: try again
            if not is_down:
                print(error, file=sys.stderr, flush=True)
            is_down = True


def await_signal() -> None:
    """Return at Ctrl-C or SIGTERM (see `signals_as_interrupts`)."""
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)


def signals_as_interrupts() -> None:
    """Let SIGTERM and SIGHUP end the program as Ctrl-C does."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


def refuse_taken(port: int, *, variable: str) -> None:
    """Raise unless the port is free on the loopback address."""
    deadline = time.monotonic() + 3  # an earlier server may be about to leave
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                if time.monotonic() > deadline:
                    raise ProcessError(f"Port {port} is in use: choose another with {variable}=.") from None
                time.sleep(0.2)
            else:
                return


def free_port() -> int:
    """A port of the loopback address that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(*, port: int) -> dict[str, str]:
    """What the processes are started with: ours, and the port by which people reach the web server."""
    return {"PUBLIC_PORT": str(port), **os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}


def _start(process: Process, environment: Mapping[str, str]) -> None:
    process.log.parent.mkdir(parents=True, exist_ok=True)
    with process.log.open("ab") as log:
        process.handle = subprocess.Popen(
            process.command,
            cwd=BASE,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches us alone, and we stop them in order
            preexec_fn=_die_with_parent(os.getpid()),
        )


def _die_with_parent(parent: int) -> Callable[[], None]:
    """Have the kernel stop the child where we are killed and can't."""
    libc = ctypes.CDLL(None, use_errno=True)

    def prepare() -> None:
        if hasattr(libc, "prctl"):
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)

    return prepare


def _await_ready(process: Process) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not process.ready():
        if process.exit_status is not None:
            raise ProcessError(
                f"{process.name} stopped at once; the end of {process.log}:\n{_tail(process.log)}"
            )
        if time.monotonic() > deadline:
            raise ProcessError(f"{process.name} is not ready after {READY_SECONDS} s; see {process.log}.")
        time.sleep(0.1)


def _watch(processes: list[Process], environment: Mapping[str, str], stopping: threading.Event) -> None:
    while not stopping.wait(0.5):
        for process in processes:
            if process.exit_status is None:
                continue
            now = time.monotonic()
            process.restarts = [at for at in process.restarts if now - at < 60] + [now]
            if len(process.restarts) > MOST_RESTARTS:
                print(f"{process.name} keeps stopping; see {process.log}.", file=sys.stderr, flush=True)
                os.kill(os.getpid(), signal.SIGTERM)
                return
            print(
                f"{process.name} stopped (status {process.exit_status}) and is started again; see {process.log}.",
                file=sys.stderr,
                flush=True,
            )
            _kill_group(process, signal.SIGKILL)  # whatever it left behind
            if not stopping.is_set():
                _start(process, environment)


def _stop(processes: list[Process]) -> None:
    for process in reversed(processes):
        if process.handle and process.exit_status is None:
            process.handle.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in reversed(processes):
        if process.handle:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.handle.wait(max(0.1, deadline - time.monotonic()))
            _kill_group(process, signal.SIGKILL)
            process.handle.wait()


def _kill_group(process: Process, number: signal.Signals) -> None:
    if process.handle:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.handle.pid, number)


@contextlib.contextmanager
def _deaf_to_signals() -> Iterator[None]:
    """A second Ctrl-C must not leave processes behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _answers(port: int, path: str) -> Callable[[], bool]:
    def ready() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    return ready


def _worker_answers() -> bool:
    from config.celery import app

    return bool(app.control.ping(timeout=0.5))


def _tail(log: Path, lines: int = 12) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def upgrade(environment: Mapping[str, str]) -> None:
    """Bring the public schema, the template and every company to the current migrations."""
    (STATE / "static").mkdir(parents=True, exist_ok=True)  # whitenoise complains of a missing one
    done = subprocess.run(
        [sys.executable, "manage.py", "upgrade", "--json"],
        cwd=BASE,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode:
        raise ProcessError(f"The database can't be upgraded: {done.stdout.strip()[-2000:]}")


def main() -> int:
    """Start everything but the simulator and keep serving, without any demo data."""
    signals_as_interrupts()
    try:
        port = env_int("PORT", PORT, least=1, most=65535)
        surroundings = environment(port=port)
        with only_one(), embedded_services():
            refuse_taken(port, variable="PORT")
            upgrade(surroundings)
            with running([web(port=port), worker(), beat()], environment=surroundings):
                print(f"The mall serves on http://localhost:{port}. Ctrl-C stops it.", flush=True)
                await_signal()
    except KeyboardInterrupt:
        return 130
    except (ProcessError, ServiceError, WrongSetting) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
