"""`python -m config.demo`: start everything, do the main job for two companies, then serve (or stop with ONCE=1).

`python -m config.demo code` prints the one-time code of the platform's people.
"""

import json
import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from config import processes
from config.env import WrongSetting, env_bool, env_int
from config.places import STATE, ServiceError

FOLDER = STATE / "demo"
SUPPLIER = "demo"
PERCENT = 97  # what the supplier takes of a price
PLATFORM_STAFF = ("olga", "pei")


def main(arguments: list[str]) -> int:
    """Run the demonstration; 0 only if every step did what it says."""
    processes.signals_as_interrupts()
    try:
        port = env_int("PORT", processes.PORT, least=1, most=65535)
        once = env_bool("ONCE", False)
        os.environ.update(processes.environment(port=port))
        if arguments == ["code"]:
            return _print_code()
        if arguments:
            print("usage: python -m config.demo [code]", file=sys.stderr)
            return 2
        with processes.only_one(), processes.embedded_services():
            return _demonstrate(port=port, once=once)
    except KeyboardInterrupt:
        return 130
    except (processes.ProcessError, ServiceError, WrongSetting) as error:
        print(error, file=sys.stderr)
        return 1


def _demonstrate(*, port: int, once: bool) -> int:
    started = time.monotonic()
    processes.refuse_taken(port, variable="PORT")
    simulator_port = env_int("SIMULATOR_PORT", 0, least=0, most=65535) or processes.free_port()
    surroundings = dict(os.environ)
    os.environ.setdefault(
        "LOG_LEVEL", "WARNING"
    )  # what we print is for people; the processes keep their logs
    import django

    django.setup()
    _upgrade()
    goods = _seed(simulator_port)
    mall = processes.the_mall(port=port, simulator_port=simulator_port, faults=_faults(), goods=goods)
    _say("Starting the web server, the worker, beat and a supplier simulator …")
    with processes.running(mall, environment=surroundings):
        outcome = _work(port=port)
        outcome["seconds"] = round(time.monotonic() - started, 1)
        _report(outcome, port=port)
        if not once and outcome["ok"]:
            _say("Serving; Ctrl-C stops everything.")
        if once or not outcome["ok"]:
            print(json.dumps(outcome, ensure_ascii=False), flush=True)
            return 0 if outcome["ok"] else 1
        processes.await_signal()
    return 0


def _upgrade() -> None:
    from config.demo.job import now
    from tenants import operations as tenants

    _say("Bringing the database to the current migrations …")
    with _public():
        failed = tenants.upgrade(at=now())
    if failed:
        raise processes.ProcessError(f"The migration of {', '.join(failed)} failed: {failed}")


def _work(*, port: int) -> dict[str, Any]:
    """The job of both companies; an error ends it and is told, not raised."""
    from config.demo import job, people
    from config.demo.visitor import PageError
    from reports import books
    from tenants.errors import DomainError
    from tenants.models import Company

    outcome: dict[str, Any] = {"ok": False, "companies": {}}
    try:
        platform = _platform_staff()
        for one in people.COMPANIES:
            work = job.Job(one, port, _password(), FOLDER, _teller(one.short_name))
            outcome["companies"][one.schema] = work.figures
            job.run(work, wishes=_wishes()[one.schema], platform=platform)
            for name, path in work.files.items():
                outcome.setdefault(name, path)
        with _public():
            violations = job.patiently(lambda: books.verify(list(Company.objects.all())))
        outcome["violations"] = len(violations)
        outcome["ok"] = not violations
        _say(f"The books verify: {len(violations)} violations.")
    except (job.StepFailed, PageError, DomainError) as error:
        outcome["failed"] = str(error)
    return outcome


def _wishes() -> dict[str, tuple[Any, ...]]:
    from config.demo.job import Order, Wish

    return {
        "acme": (
            Wish(0, "mobile-top-up", "topup-mobile-50", to_own_mobile=True),
            Wish(1, "tencent-video", "tencent-video-month", to_own_mobile=True),
            Wish(2, "jd-card", "jd-100", to_own_mobile=False),
            Wish(3, "commuter", "bundle-commuter", to_own_mobile=True),
            Wish(6, "mobile-top-up", "topup-mobile-100", to_own_mobile=True, ends=Order.Status.REFUNDED),
        ),
        "globex": (
            Wish(0, "mobile-top-up", "topup-mobile-30", to_own_mobile=True),
            Wish(1, "coffee", "coffee-cup", to_own_mobile=False),
        ),
    }


def _faults() -> str:
    """The simulated supplier delivers everything but what goes to one number of Acme's."""
    from config.demo.people import mobile

    return json.dumps({"targets": {mobile(6): "fail_later"}})


def _seed(simulator_port: int) -> Path:
    """The catalogue, the supplier that leads to the simulator, and the list of what the simulator sells."""
    from benefits.catalogue import seed
    from benefits.fulfilment import upkeep
    from benefits.fulfilment.models import Offer, Supplier
    from benefits.suppliers.simulator.dialects.goofish import DEFAULT_KEYS
    from config.demo.job import now

    with _public():
        seed.seed()
        address = f"http://127.0.0.1:{simulator_port}"
        supplier = Supplier.objects.filter(slug=SUPPLIER).first()
        facts = {"name": "演示供应商", "base_url": address, "credentials": json.dumps(DEFAULT_KEYS)}
        if supplier is None:
            supplier = upkeep.add_supplier(slug=SUPPLIER, adapter="goofish", **facts, actor=None, at=now())
        elif supplier.base_url != address:
            supplier = upkeep.change_supplier(
                supplier=supplier, is_active=True, **facts, actor=None, at=now()
            )
        upkeep.offer_catalogue(supplier=supplier, percent=PERCENT, actor=None, at=now())
        offers = list(Offer.objects.filter(supplier=supplier))
        cards = _card_skus()
    goods = [
        {
            "product": offer.supplier_code,
            "kind": "card" if offer.sku_code in cards else "direct",
            "name": offer.sku_code,
            "cost_fen": offer.cost_fen,
        }
        for offer in offers
    ]
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / "goods.json"
    path.write_text(json.dumps(goods, ensure_ascii=False, indent=1))
    return path


def _card_skus() -> set[str]:
    from benefits.catalogue.models import Product, Sku

    return set(Sku.objects.filter(product__kind=Product.Kind.CARD).values_list("code", flat=True))


def _platform_staff() -> tuple[Any, Any]:
    """Olga runs the platform and Pei keeps its money; both sign in with a one-time code as well."""
    from allauth.mfa.models import Authenticator
    from allauth.mfa.totp.internal.auth import TOTP

    from config.demo.job import now
    from tenants.identity import operations as identity
    from tenants.identity.models import User
    from tenants.identity.roles import Role

    roles = {"olga": [Role.OPERATOR, Role.PLATFORM_ADMIN], "pei": [Role.PLATFORM_FINANCE]}
    found = []
    with _public():
        for username in PLATFORM_STAFF:
            user = User.objects.filter(username=username).first() or identity.invite(
                username=username,
                name=username.title(),
                email=f"{username}@platform.example",
                roles=roles[username],
                actor=None,
                at=now(),
            )
            if not user.check_password(_password()):
                identity.set_password(user=user, password=_password(), actor=user, at=now())
            if not Authenticator.objects.filter(user=user).exists():
                TOTP.activate(user, _kept("one_time_secret", _new_one_time_secret))
            found.append(user)
    return found[0], found[1]


def _new_one_time_secret() -> str:
    from allauth.mfa.totp.internal.auth import generate_totp_secret

    return str(generate_totp_secret())


def _print_code() -> int:
    import django

    django.setup()
    print(_code())
    return 0


def _code() -> str:
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

    counter = next(iter(yield_hotp_counters_from_time()))
    return str(format_hotp_value(hotp_value(_kept("one_time_secret", _new_one_time_secret), counter)))


def _password() -> str:
    """One password for everybody of the demonstration, made up once and kept under var/."""
    return _kept("password", lambda: f"mall-{secrets.token_hex(4)}")


def _kept(name: str, make: Any) -> str:
    path = FOLDER / "logins.json"
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    if name not in kept:
        kept[name] = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(kept))
    return kept[name]


@contextmanager
def _public() -> Iterator[None]:
    from tenants.db import connection

    connection.set_schema_to_public()
    yield
    connection.set_schema_to_public()


def _teller(company: str) -> Any:
    return lambda text: _say(f"  {company}: {text}")


def _say(text: str) -> None:
    print(text, flush=True)


def _report(outcome: dict[str, Any], *, port: int) -> None:
    if not outcome["ok"]:
        _say(f"\nThe job stopped: {outcome.get('failed', 'the books do not verify')}. See {STATE}/log.")
        return
    password = _password()
    _say(
        f"""
The whole job took {outcome["seconds"]} s.

  http://localhost:{port}          the platform     olga (operator), pei (finance); one-time code now {_code()}, later: make code
  http://acme.localhost:{port}     云帆科技         employees A0001, A0002, …; staff hana (HR), an (approver), fei (finance), wen (editor)
  http://globex.localhost:{port}   环球贸易         employees G0001, G0002, …; the same staff

  everybody's password: {password}
"""
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
