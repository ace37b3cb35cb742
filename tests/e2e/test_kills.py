"""Every part of the mall is killed once while people redeem, and not one order is lost, doubled or left open."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DEATHS = ("web", "worker", "backend", "beat", "database", "worker_child", "broker", "web_child")
ORDERS = 60
SECONDS = 900  # on a machine that has much else to do; two minutes on a quiet one


def test_whatever_dies_every_order_is_delivered_or_refunded() -> None:
    """The storm's own services are killed, and nobody else's; an honest supplier, and one death of each kind."""
    command = [
        *(sys.executable, "-m", "tests.storm", str(ORDERS)),
        *(f"--deaths={','.join(DEATHS)}", "--honest", "--name=kills", "--seed=1"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.stdout, done.stderr[-4000:]
    found = json.loads(done.stdout)
    assert found["violations"] == []
    assert found["left_open"] == 0
    assert found["too_little"] == []
    assert done.returncode == 0
