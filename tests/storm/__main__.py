"""`python -m tests.storm [ORDERS]`: the fault test. Prints JSON; exits 1 if a promise broke or too little was done.

SEED= repeats a storm's choices, as far as processes that race can be repeated.
"""

import argparse
import contextlib
import json
import os
import secrets
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# The simulator's lies, without those that never end: an order that no query can see stays open for ever, rightly.
ENDLESS = {"query_500"}


def main(arguments: list[str]) -> int:
    """Run one storm in a place of its own under var/."""
    options = _parser().parse_args(arguments)
    _point(options.name)
    import django

    django.setup()
    from benefits.suppliers.simulator.faults import PROFILES
    from tests import environment
    from tests.storm import place, weather

    rates = {name: rate for name, rate in PROFILES["lying"].items() if name not in ENDLESS}
    lying = {"rates": rates, "settings": {"hang": 20.0, "retries": 2}}
    plan = weather.Plan(
        orders=options.orders,
        seed=options.seed,
        deaths=tuple(options.deaths.split(",")) if options.deaths else (),
        faults=None if options.honest else lying,
        pause=0.3 if options.deaths else 3.0,
    )
    shutil.rmtree(environment.state(), ignore_errors=True)
    with place.private(ROOT / "var" / options.name) as own:
        with contextlib.redirect_stdout(sys.stderr):  # our own output is JSON alone
            template = environment.template()
        with environment.copy(template) as name:
            environment.use(name)
            found = weather.run(plan, own)
            environment.use(f"{environment.PREFIX}_none")
    print(json.dumps(found, indent=2, ensure_ascii=False))
    return 1 if found["violations"] or found["too_little"] or found["left_open"] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.storm", description=__doc__)
    parser.add_argument("orders", nargs="?", type=int, default=400, help="how many orders at least (400)")
    parser.add_argument("--deaths", default="", help="kill exactly these, in order, instead of by chance")
    parser.add_argument("--honest", action="store_true", help="a supplier without faults")
    parser.add_argument("--name", default="storm", help="the folder of its services under var/")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or secrets.randbelow(10**6)))
    return parser


def _point(name: str) -> None:
    """Before anything reads where the services are: have it find none but our own."""
    for given in ("DATABASE_URL", "BROKER_URL", "CACHE_URL", "MALL_TESTS"):
        os.environ.pop(given, None)
    (ROOT / "var").mkdir(exist_ok=True)
    os.environ.update(
        MALL_STATE=str(ROOT / "var" / name), PYTEST_XDIST_WORKER=name, DJANGO_SETTINGS_MODULE="tests.settings"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
