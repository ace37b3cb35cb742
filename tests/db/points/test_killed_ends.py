"""The job that ends budgets is killed half way; the next run finishes it, and nothing is done twice."""

import signal
from datetime import timedelta
from pathlib import Path

from benefits.points.models import Budget, Posting
from reports import books
from tenants.models import Company
from tests import factories
from tests.crashes import run_to
from tests.factories import AT

END, LATER = AT.date() + timedelta(days=30), AT + timedelta(days=40)

ENDS = f"""
import django
django.setup()
from datetime import datetime
from django_tenants.utils import schema_context
from benefits.points import budgets
with schema_context("acme"):
    print(budgets.end_budgets(at=datetime.fromisoformat("{LATER.isoformat()}")))
"""


def test_what_was_left_undone_is_done_and_what_was_done_is_not_repeated(
    race_company: Company, tmp_path: Path
) -> None:
    heir = factories.a_budget()
    ending = [factories.a_budget(1_000, to_date=END) for _ in range(3)]
    Budget.objects.filter(pk__in=[budget.pk for budget in ending[:2]]).update(at_end="return")
    Budget.objects.filter(pk=ending[2].pk).update(at_end="carry", carry_to=heir)

    killed = run_to("in_budget_ends", tmp_path / "mark", "-c", ENDS)
    assert killed.returncode == -signal.SIGKILL
    assert Budget.objects.filter(ended_at__isnull=False).count() == 1
    assert books.verify([race_company]) == []

    again = run_to("in_budget_ends", tmp_path / "mark", "-c", ENDS)
    assert (again.returncode, again.stdout.strip()) == (0, "2"), again.stderr
    assert Budget.objects.filter(ended_at__isnull=False).count() == 3
    assert Posting.objects.filter(reference__startswith="end:").count() == 3
    assert (factories.funds_fen(race_company), factories.budget_fen(heir)) == (2_000, 1_000)
    assert books.verify([race_company]) == []
