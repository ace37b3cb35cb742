"""A real supplier simulator in its own process, for the tests that talk to one."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from benefits.suppliers.base import Config
from benefits.suppliers.simulator.dialects.goofish import DEFAULT_KEYS

ROOT = Path(__file__).resolve().parent.parent
QUICK = {"settle_after": 0.0, "hang": 20.0, "retries": 2, "retry_after": 0.2}


class SupplierProcess:
    """One running simulator: its address, its faults, its truth."""

    def __init__(self, state: Path, *, faults: str = "none", port: int = 0) -> None:
        self.state = state
        self._command = [
            sys.executable, "-m", "benefits.suppliers.simulator",
            "--port", str(port), "--state", str(state), "--faults", faults,
        ]  # fmt: skip
        self._start(self._command)

    def _start(self, command: list[str]) -> None:
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = json.loads(self._process.stdout.readline())["simulator"]

    def kill(self) -> None:
        """End the process as a power cut would."""
        self._process.kill()
        self._finish()

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._finish()

    def _finish(self) -> None:
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def restart(self) -> None:
        """Start again on the same books and the same port."""
        port = self.url.rpartition(":")[2]
        command = list(self._command)
        command[command.index("--port") + 1] = port
        self._start(command)

    def config(self, **options: str) -> Config:
        """Return how to reach this simulator, with times short enough for a test."""
        quick = {"deadline": "1", "first_query_after": "0", "equal_answers_over": "0"}
        return Config("sim", "goofish", self.url, DEFAULT_KEYS, quick | options)

    def faults(self, *names: str, targets: dict[str, Any] | None = None, **settings: Any) -> None:
        """Put exactly these faults in force for every order (or for the targets)."""
        rates = {name.partition(":")[0]: 1 for name in names}
        params = {name.partition(":")[0]: float(name.partition(":")[2]) for name in names if ":" in name}
        body = {"rates": rates, "params": params, "targets": targets or {}, "settings": QUICK | settings}
        self.call("PUT", "/_sim/faults", body)

    def truth(self, reference: str = "") -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"/_sim/truth?reference={reference}")
        return found

    def call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)
