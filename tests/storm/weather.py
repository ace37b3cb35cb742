"""One storm from beginning to end: start everything, shop, kill, wait until all is settled, stop, compare."""

import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config import processes
from config.places import Place
from tenants.db import connection
from tests import environment
from tests.processes import Simulator, _empty_broker
from tests.storm import check, kills, shoppers, stage
from tests.storm.kills import Killer

SHOPPERS = 6
CLOSED_SECONDS = 5
STILL_SECONDS = 90  # without any progress, after which waiting is over
RECOVERY_SECONDS = 90


@dataclass(frozen=True)
class Plan:
    """What kind of storm: the deaths in order, or none to choose them by chance until there are enough orders."""

    orders: int
    seed: int
    deaths: Sequence[str] = ()
    faults: dict[str, Any] | None = None
    pause: float = 1.0
    between: tuple[float, float] = (1.5, 4.5)


def run(plan: Plan, place: Place) -> dict[str, Any]:
    """Do it and return the figures, with every violation and everything of which there was too little."""
    processes.MOST_RESTARTS = 10_000  # of deaths there is no end here
    began = time.monotonic()
    port = processes.free_port()
    state = environment.state()
    surroundings = processes.environment(port=port) | {"DELIVERY_LEASE_SECONDS": str(stage.LEASE_SECONDS)}
    database = environment.database_url(connection.settings_dict["NAME"])
    with _simulator(state, port=port, seed=plan.seed) as simulator:
        _empty_broker()
        people = stage.arrange(simulator, how_many=SHOPPERS)
        connection.close()
        connection.close_pool()
        parts = {
            "web": processes.web(port=port, state=state),
            "worker": processes.worker(state=state),
            "beat": processes.beat(state=state),
        }
        killer = Killer(place, database, parts)
        journal = shoppers.Journal()
        with processes.running(list(parts.values()), environment=surroundings):
            simulator.set_faults(plan.faults or "none")
            started = time.monotonic()
            with _shopping(people, plan, journal, port=port):
                _kill(plan, killer, journal)
            stormed = time.monotonic()
            simulator.set_faults("none")
            left_open = _settle(database)
            settled = time.monotonic()
        # Only now is the truth final: nobody can send or record any more.
        truth, fired = simulator.truth(), simulator.faults()["fired"]
    found = {
        **check.figures(),
        "acknowledged": len(journal.acknowledged),
        "sent_twice": journal.sent_twice,
        "troubles": dict(journal.troubles),
        "kills": dict(Counter(one["kind"] for one in killer.log)),
        "kill_log": killer.log,
        "faults": fired,
        "seed": plan.seed,
        "seconds": {
            "start": round(started - began, 1),
            "storm": round(stormed - started, 1),
            "settling": round(settled - stormed, 1),
        },
        "left_open": left_open,
        "violations": check.violations(journal, truth),
    }
    return {**found, "too_little": _too_little(plan, found)}


def _kill(plan: Plan, killer: Killer, journal: shoppers.Journal) -> None:
    """Kill as planned, each time until the mall works again; or by chance, as often as it takes."""
    dice = random.Random(plan.seed)
    deadline = time.monotonic() + RECOVERY_SECONDS + plan.orders * 3

    def acknowledged() -> int:
        return len(journal.acknowledged)

    def closed() -> int:
        seen = kills.look(killer.database)
        return seen.deliveries - seen.open

    _await(closed, 1)
    if plan.deaths:
        for kind in plan.deaths:
            killer.kill(kind)
            _await(acknowledged, acknowledged() + SHOPPERS)
            _await(closed, closed() + SHOPPERS)
    else:
        kinds = sorted(killer.kinds())
        bag: list[str] = []
        while len(journal.acknowledged) < plan.orders and time.monotonic() < deadline:
            bag = bag or dice.sample([*kinds, "worker", "worker_child"], len(kinds) + 2)
            killer.kill(bag.pop())
            kills.resume_suppliers(killer.database)
            time.sleep(dice.uniform(*plan.between))
    _await(acknowledged, plan.orders)
    kills.resume_suppliers(killer.database)


def _await(count: Callable[[], int], wanted: int) -> None:
    """Wait until there are that many, as long as there are more from time to time."""
    seen, since = -1, time.monotonic()
    while (now := count()) < wanted:
        if now != seen:
            seen, since = now, time.monotonic()
        if time.monotonic() - since > RECOVERY_SECONDS:
            return  # too few are found wanting later
        time.sleep(0.2)


def _settle(database: str) -> int:
    """Wait until nothing has been open for a while, or nothing has moved for long; returns what is still open.

    For a while, since an order may be committed by a web process whose visitor has given up waiting. A supplier that
    is paused for its failures meanwhile is resumed, as an operator would.
    """
    seen, since = kills.look(database).open, time.monotonic()
    while time.monotonic() - since < (STILL_SECONDS if seen else CLOSED_SECONDS):
        kills.resume_suppliers(database)
        time.sleep(0.5)
        now = kills.look(database).open
        if now != seen:
            seen, since = now, time.monotonic()
    return seen


def _too_little(plan: Plan, found: dict[str, Any]) -> list[str]:
    floors = {
        "acknowledged orders": (found["acknowledged"], plan.orders),
        "delivered items": (found["items"].get("delivered", 0), plan.orders // 2),
        "refunded items": (found["items"].get("refunded", 0), max(1, plan.orders // 50)),
        "orders sent twice": (found["sent_twice"], 1),
        "deaths with orders in flight": (
            len({one["kind"] for one in found["kill_log"] if one["open"]}),
            len(set(plan.deaths)) or 8,
        ),
        "kinds of faults": (len(found["faults"]), len(plan.faults["rates"]) * 2 // 3 if plan.faults else 1),
    }
    return [f"{what}: {got} of {least}" for what, (got, least) in floors.items() if got < least]


@contextlib.contextmanager
def _shopping(
    people: Sequence[stage.Person], plan: Plan, journal: shoppers.Journal, *, port: int
) -> Iterator[None]:
    stop = threading.Event()
    threads = [
        threading.Thread(
            target=shoppers.shop,
            args=(person,),
            kwargs={
                "port": port,
                "journal": journal,
                "dice": random.Random(f"{plan.seed}:{person.number}"),
                "stop": stop,
                "pause": plan.pause,
            },
        )
        for person in people
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@contextlib.contextmanager
def _simulator(state: Path, *, port: int, seed: int) -> Iterator[Simulator]:
    own = processes.free_port()
    process = processes.simulator(port=own, seed=seed, state=state)
    with processes.running([process], environment=processes.environment(port=port)):
        yield Simulator(port=own, state=state)
