"""Whatever a roster and an import are: undoing gives the roster that was, and the same file again changes nothing."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import transaction as django_transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benefits.roster import operations, queries
from benefits.roster.models import RosterImport
from benefits.roster.plan import Mode
from reports import books
from tenants.models import Company
from tests.unit.roster import books as workbooks

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

_person = st.tuples(
    st.sampled_from([f"P{n}" for n in range(8)]),
    st.sampled_from(["王伟", "李娜", "赵磊"]),
    st.sampled_from([None, *(f"1380013800{n}" for n in range(8))]),
    st.sampled_from([None, "技术中心", "技术中心/后端组", "市场中心"]),
    st.sampled_from([None, "a@example.com", "b@example.com"]),
    st.sampled_from([None, "2020-01-06", "2021-02-07"]),
    st.sampled_from([None, 100]),
    st.sampled_from([None, "在职", "离职"]),
)
_roster = st.lists(_person, max_size=10).map(lambda people: [list(person) for person in people])


def imported(people: list[list[Any]], mode: Mode, at: datetime) -> RosterImport:
    with tempfile.TemporaryDirectory() as folder:
        data = workbooks.roster(Path(folder) / "a.xlsx", *people).read_bytes()
    found = operations.receive(file=ContentFile(data), file_name="a.xlsx", mode=mode, actor=None, at=at)
    found = operations.check(roster_import=found, at=at)
    operations.confirm(
        roster_import=found, plan_digest=found.plan_digest, leavers=found.counts["leave"], actor=None, at=at
    )
    return operations.apply(roster_import=found, at=at)


@pytest.mark.parametrize("mode", list(Mode))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=_roster, second=_roster, grace=st.sampled_from([0, 5]), policy=st.sampled_from(["freeze", "return"])
)
def test_undoing_gives_back_what_was(
    acme: Company, mode: Mode, first: list[list[Any]], second: list[list[Any]], grace: int, policy: str
) -> None:
    outer = django_transaction.atomic()
    outer.__enter__()
    django_transaction.get_connection().atomic_blocks[-1]._from_testcase = True  # type: ignore[attr-defined]
    try:
        Company.objects.filter(pk=acme.pk).update(leaver_grace_days=grace, leaver_policy=policy)
        imported(first, Mode.MERGE, AT)
        before = queries.roster_digest()

        found = imported(second, mode, AT + timedelta(hours=1))
        after = queries.roster_digest()
        again = imported(second, mode, AT + timedelta(hours=2))
        assert queries.roster_digest() == after
        assert {key: again.result[key] for key in ("created", "updated", "left")} == {
            "created": 0, "updated": 0, "left": 0,
        }  # fmt: skip

        for one, at in ((again, 3), (found, 4)):
            operations.undo(roster_import=one, actor=None, at=AT + timedelta(hours=at))
            done = operations.undo_now(roster_import=one, at=AT + timedelta(hours=at))
            assert done.result["undo"]["kept"] == []
        assert queries.roster_digest() == before
        assert books.verify([acme]) == []
    finally:
        django_transaction.set_rollback(True)
        outer.__exit__(None, None, None)
