"""Rules at the same moment, with real connections and real commits. After each, the books are clean."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError

from benefits.campaigns import operations as campaigns
from benefits.campaigns.models import GrantRule, Rehearsal, RehearsalRow
from benefits.people.models import Employee
from benefits.points import allotting
from benefits.points.ledger import Part
from benefits.points.models import Budget, Grant
from reports import books
from tenants.db import connection, transaction
from tenants.models import Company
from tests import factories
from tests.db.campaigns import stage
from tests.db.campaigns.stage import NOW, definition
from tests.races import at_once

PRICE = 4_950


@pytest.fixture(scope="module")
def committed(module_company: Company) -> Company:
    """Acme in a database of this module's own, with a catalogue."""
    factories.a_catalogue()
    return module_company


@pytest.fixture(autouse=True)
def mall(committed: Company) -> Iterator[Company]:
    """The company; whatever a test did, the books are clean afterwards."""
    Company.objects.filter(pk=committed.pk).update(daily_limit_fen=10**9)
    yield committed
    assert books.verify([committed]) == []


def _rule(people: list[Employee], *, fen: int = PRICE, budget: Budget | None = None) -> GrantRule:
    listed = {"numbers": [[one.employee_no, None] for one in people]}
    return stage.a_rule(
        definition(amount=fen, audience=listed), budget=budget or stage.a_budget(fen * len(people))
    )


def _names(results: list[object]) -> list[str]:
    return sorted(type(one).__name__ for one in results)


def test_committed_twice_at_once_it_is_one_grant() -> None:
    rehearsal = stage.rehearse(_rule(factories.employees(20)))

    results = at_once(*[lambda: stage.commit(Rehearsal.objects.get(pk=rehearsal.pk))] * 6)

    assert _names(results) == ["Rehearsal"] * 6
    assert Grant.objects.filter(source=f"campaigns.rehearsal:{rehearsal.pk}").count() == 1
    stage.hand_out(rehearsal)
    assert stage.lots(rehearsal) == stage.rehearsed(rehearsal)


def test_of_two_rehearsals_of_one_rule_one_is_out_of_date() -> None:
    rule = _rule(factories.employees(20), budget=stage.a_budget(10**6))
    both = [stage.rehearse(rule), stage.rehearse(rule)]

    results = at_once(*(lambda one=one: stage.commit(one) for one in both))

    assert _names(results) == ["Rehearsal", "RehearsalStale"]
    assert sorted(Rehearsal.objects.filter(rule=rule).values_list("status", flat=True)) == [
        "running",
        "stale",
    ]
    for one in both:
        stage.hand_out(one)


@pytest.mark.parametrize("turn", range(10))
def test_two_rules_race_for_the_last_points(turn: int) -> None:
    people = factories.employees(10)
    budget = stage.a_budget(15 * 100)
    both = [stage.rehearse(_rule(people, fen=100, budget=budget)) for _ in range(2)]

    results = at_once(*(lambda one=one: stage.commit(one) for one in both))

    assert _names(results) == ["InsufficientBudget", "Rehearsal"]
    assert factories.budget_fen(budget) == 500
    for one in both:
        stage.hand_out(one)


def test_the_calendar_runs_twice_at_once() -> None:
    people = factories.employees(10)
    Employee.objects.filter(pk__in=[one.pk for one in people]).update(hired_on=stage.DAY)
    listed = {"numbers": [[one.employee_no, None] for one in people]}
    rule = stage.a_rule(definition("joining", audience=listed))

    results = at_once(*[lambda: stage.run()] * 4)

    assert _names(results) == ["list"] * 4, results
    (rehearsal,) = Rehearsal.objects.filter(rule=rule, status="done")
    assert len(stage.lots(rehearsal)) == 10
    campaigns.end_rule(rule=rule, actor=None, at=NOW)


def test_workers_at_one_grant_do_each_step_once() -> None:
    rehearsal = stage.rehearse(_rule(factories.employees(300)))
    stage.commit(rehearsal)

    def work() -> int:
        mine = Rehearsal.objects.get(pk=rehearsal.pk)
        return stage.hand_out(mine, wallets=20)

    results = at_once(*[work] * 4)
    stage.hand_out(rehearsal, wallets=20)  # whoever met another at it went away

    assert all(isinstance(one, int) for one in results), results
    assert stage.lots(rehearsal) == stage.rehearsed(rehearsal)


def test_a_worker_that_dies_between_steps_is_followed_by_another() -> None:
    rehearsal = stage.rehearse(_rule(factories.employees(400)))
    stage.commit(rehearsal)
    pids: list[int] = []

    def work() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pids.append(cursor.fetchone()[0])
        stage.hand_out(Rehearsal.objects.get(pk=rehearsal.pk), wallets=10)

    def kill() -> None:
        _until(lambda: Rehearsal.objects.get(pk=rehearsal.pk).handed >= 30)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pids[0]])

    worker, killer = at_once(work, kill)

    assert isinstance(worker, OperationalError), worker
    assert killer is None
    rehearsal.refresh_from_db()
    assert 30 <= rehearsal.handed < 400
    assert rehearsal.status == "running"
    assert len(stage.lots(rehearsal)) == rehearsal.handed
    assert books.verify([Company.objects.get(schema_name="acme")]) == []

    stage.hand_out(rehearsal)
    assert stage.lots(rehearsal) == stage.rehearsed(rehearsal)


def test_redemptions_go_on_while_a_step_is_open() -> None:
    people = factories.employees(40)
    spender, waiting = people[30], people[0]
    factories.grant(factories.a_budget(2 * PRICE), {spender: PRICE, waiting: PRICE})
    rehearsal = stage.rehearse(_rule(people))
    stage.commit(rehearsal)
    rows = RehearsalRow.objects.filter(rehearsal=rehearsal, place__range=(1, 20))
    parts = [Part(row.wallet_id or 0, row.fen, row.occasion) for row in rows]
    done: dict[str, float] = {}
    began = threading.Event()

    def redeem(who: Employee, company: Company) -> None:
        connection.set_tenant(company)
        began.wait()
        factories.redeem(who)
        done[who.employee_no] = time.monotonic()
        connection.close()

    company = Company.objects.get(schema_name="acme")
    with ThreadPoolExecutor(2) as pool:
        with transaction():
            assert rehearsal.grant is not None
            allotting.hand_out(grant=rehearsal.grant, parts=parts, at=NOW)
            Rehearsal.objects.filter(pk=rehearsal.pk).update(handed=20)
            tasks = [pool.submit(redeem, one, company) for one in (spender, waiting)]
            began.set()
            _until(lambda: spender.employee_no in done)
            time.sleep(0.2)
            assert waiting.employee_no not in done  # its wallet is part of the open step
        for task in tasks:
            task.result(timeout=20)
    assert waiting.employee_no in done
    stage.hand_out(rehearsal)
    assert stage.lots(rehearsal) == stage.rehearsed(rehearsal)


def test_people_redeem_during_a_long_grant() -> None:
    people = factories.employees(600)
    spenders = people[::60]
    factories.grant(factories.a_budget(10 * PRICE), dict.fromkeys(spenders, PRICE))
    rehearsal = stage.rehearse(_rule(people))
    stage.commit(rehearsal)

    def spend() -> int:
        return sum(factories.redeem(one).price_fen for one in spenders)

    results = at_once(lambda: stage.hand_out(Rehearsal.objects.get(pk=rehearsal.pk), wallets=15), spend)
    assert results == [40, 10 * PRICE]
    assert stage.lots(rehearsal) == stage.rehearsed(rehearsal)


def _until(is_so: Callable[[], bool], *, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.01)
