"""A whole roster import, from upload to people, beside what nobody can do without; and the same file again.

CPU seconds of Python (the sandbox's process too) and PostgreSQL together. The floor reads with python-calamine, copies
into a staging table and upserts into one table. The peer adds one person after another with update_or_create, as
import-export libraries do, for a sample; its figure is scaled to the whole. `BENCH_ROSTER_ROWS` sets the size,
`BENCH_ROSTER_ROUNDS` how often. `peak_mb` is what this process, in which the floor ran before, and its largest child held.
"""

import os
import resource
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.files import File
from django.utils import timezone
from python_calamine import CalamineWorkbook

from benefits.people.models import Department, Employee
from benefits.roster import operations
from benefits.roster.models import RosterImport
from benefits.roster.plan import Mode
from tenants.db import connection, transaction
from tests.bench.measure import ROUNDS, Figures, client_cpu, database_cpu, in_turns
from tests.bench.rosters import write

ROWS = int(os.environ.get("BENCH_ROSTER_ROWS", "20000"))
ROUNDS_WANTED = int(os.environ.get("BENCH_ROSTER_ROUNDS", str(ROUNDS)))
SAMPLE = 200
_COLUMNS = (
    "employee_no",
    "name",
    "mobile",
    "email",
    "department",
    "hired_on",
    "birthday",
    "grade",
    "city",
    "remark",
)


def run_import() -> Figures:
    """Upload, check, plan, confirm and apply a roster of new people. Undone after each round, measured apart."""
    undone: list[float] = []
    peaks: list[list[int]] = []
    with _workbook() as path, _target():

        def ours() -> float:
            RosterImport.objects.update(reading="", reading_key="")
            spent, done = _cpu(lambda: _imported(path))
            if done.result["created"] != ROWS:
                raise RuntimeError(f"imported {done.result} of {ROWS}")
            peaks.append(_peak_mb())
            undone.append(_cpu(lambda: _taken_back(done))[0])
            return spent

        figures = in_turns(ours=ours, floor=lambda: _floor(path), unit="CPU s", rounds=ROUNDS_WANTED)
        peer, _ = _cpu(lambda: _one_by_one(path))
        more = {"undo": float(f"{statistics.median(undone):.4g}"), "peak_mb": peaks[0], "rows": ROWS}
        return {**_with_peer(figures, peer * ROWS / SAMPLE), **more}


def run_again() -> Figures:
    """The same file once more, when nothing is to change; the floor is reading it alone, in the sandbox as always."""
    from benefits.roster import sandbox

    with _workbook() as path:
        _imported(path)
        figures = in_turns(
            ours=lambda: _cpu(lambda: _imported(path))[0],
            floor=lambda: _cpu(lambda: sandbox.check_file(path))[0],
            unit="CPU s",
            rounds=ROUNDS_WANTED,
        )
        return {**figures, "rows": ROWS}


def _cpu(job: Callable[[], Any]) -> tuple[float, Any]:
    client, server = client_cpu(), database_cpu()
    done = job()
    return client_cpu() - client + database_cpu() - server, done


def _imported(path: Path) -> RosterImport:
    with path.open("rb") as file:
        found = operations.receive(
            file=File(file), file_name="a.xlsx", mode=Mode.MERGE, actor=None, at=timezone.now()
        )
    found = operations.check(roster_import=found, at=timezone.now())
    found = operations.confirm(
        roster_import=found, plan_digest=found.plan_digest, actor=None, at=timezone.now()
    )
    return operations.apply(roster_import=found, at=timezone.now())


def _taken_back(done: RosterImport) -> None:
    operations.undo(roster_import=done, actor=None, at=timezone.now())
    operations.undo_now(roster_import=done, at=timezone.now())


def _peak_mb() -> list[int]:
    """The most that this process and the largest of its children have held."""
    return [
        resource.getrusage(who).ru_maxrss // 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]


@contextmanager
def _workbook() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "roster.xlsx"
        write(path, ROWS)
        yield path


@contextmanager
def _target() -> Iterator[None]:
    texts = ", ".join(f"{name} text" for name in _COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE bench_staff (id bigserial PRIMARY KEY, {texts}, UNIQUE (employee_no))")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bench_staff")


def _floor(path: Path) -> float:
    def job() -> None:
        rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()[1:]
        names = ", ".join(_COLUMNS)
        updates = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)
        with transaction(), connection.cursor() as cursor:
            cursor.execute(
                f"CREATE TEMP TABLE staged ON COMMIT DROP AS SELECT {names} FROM bench_staff WITH NO DATA"
            )
            with cursor.copy(f"COPY staged ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            cursor.execute(
                f"INSERT INTO bench_staff ({names}) SELECT {names} FROM staged"
                f" ON CONFLICT (employee_no) DO UPDATE SET {updates}"
            )

    spent, _ = _cpu(job)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE bench_staff")
    return spent


def _one_by_one(path: Path) -> None:
    at = timezone.now()
    rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()[1 : SAMPLE + 1]
    with transaction():
        for number, name, mobile, email, path_of, hired_on, birthday, grade, *_rest in rows:
            department, _ = Department.objects.get_or_create(path=path_of)
            facts = {
                "name": name, "mobile": mobile, "email": email, "department": department, "hired_on": hired_on,
                "birthday": birthday, "grade": grade, "created_at": at, "updated_at": at,
            }  # fmt: skip
            Employee.objects.update_or_create(employee_no=f"peer {number}", defaults=facts)
    with transaction():
        Employee.objects.filter(employee_no__startswith="peer ").delete()


def _with_peer(figures: Figures, peer: float) -> Figures:
    return {
        **figures,
        "peer": float(f"{peer:.4g}"),
        "ratio_to_peer": float(f"{figures['ours'] / peer:.4g}"),
        "peer_scaled_from_rows": SAMPLE,
    }
