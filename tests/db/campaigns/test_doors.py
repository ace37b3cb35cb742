"""The doors of rules that are no pages: the worker's bells and the command."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from benefits import tasks
from benefits.campaigns import operations as campaigns
from benefits.campaigns import queries
from benefits.campaigns.models import Rehearsal
from tenants.db import connection
from tenants.models import Company
from tests.db.campaigns import stage
from tests.db.campaigns.stage import DAY, definition


def _command(*arguments: str) -> tuple[int, dict[str, Any]]:
    out = StringIO()
    try:
        call_command(*arguments, "--json", stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def test_the_command_rehearses_and_moves_nothing(acme: Company) -> None:
    stage.join("A1", birthday="1990-03-01", department="研发")
    stage.join("A2", birthday="1990-03-02")
    rule = stage.a_rule(definition("birthday", expiry={"kind": "days", "days": 30}), name="Cake")
    for name in ("Cake", str(rule.pk)):
        status, found = _command("rehearse_grant", "acme", name, "--day", DAY.isoformat())
        assert status == 0
        assert (found["rule"], found["employees"], found["total_fen"]) == ("Cake", 1, 1_000)
        assert found["left_out"] == {"not_due": 1}
        assert found["departments"] == [{"department": "研发", "employees": 1, "fen": 1_000}]
        assert len(found["digest"]) == 64
    connection.set_tenant(acme)
    assert set(Rehearsal.objects.values_list("status", flat=True)) == {"made"}
    assert stage.given() == set()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nobody", "Cake"], "company_not_found"),
        (["acme", "Cake"], "rule_not_found"),
        (["acme", "999999999999999999999"], "rule_not_found"),
        (["acme", "Cake", "--day", "soon"], "bad_usage"),
    ],
)
def test_wrong_use_has_a_code(acme: Company, arguments: list[str], code: str) -> None:
    status, found = _command("rehearse_grant", *arguments)
    assert (status, found["error"]["code"]) == (2, code)


def test_a_worker_hands_out_what_was_committed(acme: Company) -> None:
    for number in ("A1", "A2", "A3"):
        stage.join(number)
    rehearsal = stage.commit(stage.rehearse(stage.a_rule(definition())))
    tasks.hand_out.run(rehearsal_id=rehearsal.pk)
    rehearsal.refresh_from_db()
    assert rehearsal.status == "done"
    tasks.hand_out.run(rehearsal_id=rehearsal.pk)
    assert stage.lots(rehearsal) == stage.rehearsed(rehearsal)


def test_the_calendars_task_runs_today(acme: Company) -> None:
    today = timezone.localdate()
    stage.join(
        "A1", day=today, birthday=f"1990-{today:%m-%d}" if (today.month, today.day) != (2, 29) else None
    )
    stage.a_rule(definition("birthday"), day=today)
    tasks.run_campaigns.run()
    assert Rehearsal.objects.get().day == today


def test_a_grant_whose_worker_is_gone_is_found(acme: Company) -> None:
    for number in ("A1", "A2", "A3"):
        stage.join(number)
    rehearsal = stage.commit(stage.rehearse(stage.a_rule(definition())))
    stalled = ("acme", rehearsal.pk)
    assert stalled not in queries.stalled_everywhere(stage.NOW + timedelta(seconds=20))
    assert stalled in queries.stalled_everywhere(stage.NOW + timedelta(seconds=40))
    campaigns.hand_out(rehearsal=rehearsal, at=stage.NOW + timedelta(seconds=40), wallets=1)
    assert stalled not in queries.stalled_everywhere(stage.NOW + timedelta(seconds=60))
    assert stalled in queries.stalled_everywhere(stage.NOW + timedelta(seconds=80))
    stage.hand_out(rehearsal)
    assert stalled not in queries.stalled_everywhere(stage.NOW + timedelta(seconds=80))
