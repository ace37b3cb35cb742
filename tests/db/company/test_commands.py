"""Funding and granting from the shell."""

import contextlib
import io
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection

from benefits.points.models import Account, Grant
from tenants.models import Company
from tests.db.company.conftest import employ


def run(*arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    with contextlib.suppress(SystemExit):
        call_command(arguments[0], "--json", *arguments[1:], stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    connection.set_tenant(Company.objects.get(schema_name="acme"))
    return answer


def code(*arguments: str) -> str:
    return str(run(*arguments)["error"]["code"])


def test_the_same_reference_funds_once(acme: Company) -> None:
    first = run("fund_company", "acme", "5000", "--reference", "CMB-1")
    assert first["funds_fen"] == 500_000
    assert run("fund_company", "acme", "5000", "--reference", "CMB-1") == first
    assert code("fund_company", "acme", "5001", "--reference", "CMB-1") == "deposit_exists"


@pytest.mark.parametrize("yuan", ["0", "-5", "5,000", "1.234", "1e3", "NaN", "", "9" * 30])
def test_what_is_no_amount_is_refused(yuan: str, acme: Company) -> None:
    assert code("fund_company", "acme", "--reference=x", "--", yuan) in ("not_an_amount", "invalid_amount")


def test_a_grant_loads_what_it_needs(acme: Company) -> None:
    employ(3)
    run("fund_company", "acme", "100", "--reference", "CMB-1")
    key = str(uuid4())
    grant = ["grant_points", "acme", "--budget", "Spring", "--points", "20", "--all", "--key", key]
    made = run(*grant)
    assert (made["employees"], made["total_fen"]) == (3, 6_000)
    assert run(*grant) == made
    assert Grant.objects.count() == 1
    assert Account.objects.get(kind="budget").balance_fen == 0
    assert (
        code("grant_points", "acme", "--budget", "Spring", "--points", "20", "--all") == "insufficient_funds"
    )


def test_a_file_gives_each_their_own(acme: Company, tmp_path: Path) -> None:
    employ(2)
    run("fund_company", "acme", "100", "--reference", "CMB-1")
    file = tmp_path / "list.csv"
    file.write_text("工号,积分\nA001,30\nA002,\n", encoding="utf-8")
    base = ["grant_points", "acme", "--budget", "Spring", "--file", str(file)]
    assert code(*base) == "points_missing"
    assert run(*base, "--points", "5", "--expires", "2099-12-31")["total_fen"] == 3_500
    assert code(*base[:-1], str(tmp_path / "none.csv")) == "bad_usage"
    file.write_text("a,b\n1,2\n", encoding="utf-8")
    assert code(*base, "--points", "5") == "unreadable_list"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--points", "5", "--department", "nowhere"], "nobody_to_grant_to"),
        (["--points", "0", "--all"], "invalid_points"),
        (["--points", "x", "--all"], "not_an_amount"),
        (["--all"], "bad_usage"),
        (["--points", "5", "--all", "--expires", "soon"], "bad_usage"),
        (["--points", "5", "--all", "--expires", "2020-01-01"], "invalid_expiry"),
        (["--points", "5", "--all", "--key", "x"], "bad_usage"),
    ],
)
def test_wrong_use_has_a_code(arguments: list[str], expected: str, acme: Company) -> None:
    employ(1)
    run("fund_company", "acme", "100", "--reference", "CMB-1")
    assert code("grant_points", "acme", "--budget", "B", *arguments) == expected
    assert not Grant.objects.exists()


def test_an_unknown_company_has_a_code(acme: Company) -> None:
    assert code("fund_company", "nobody", "5", "--reference", "x") == "company_not_found"
