"""Lists of employees for a grant, turned into amounts; what cannot be read is an error that names the rows."""

import tempfile
from decimal import Decimal
from pathlib import Path

from django.core.files.base import File
from django.utils.translation import gettext_lazy as _

from benefits import money
from benefits.roster import listing, messages, sandbox
from benefits.roster.listing import Amount, Fault
from benefits.roster.shapes import Checked, Rejected
from tenants.errors import Invalid


class UnreadableList(Invalid):
    """The file or the lines are not a list of employee numbers."""

    code = "unreadable_list"
    message = _("%(reason)s")

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason=reason)


class FaultyList(Invalid):
    """Some rows of a list have no usable number or points."""

    code = "faulty_list"
    message = _("These rows cannot be used: %(rows)s. Correct them; nothing was granted.")

    def __init__(self, *, rows: str) -> None:
        super().__init__(rows=rows)


class PointsMissing(Invalid):
    """Neither the row nor the form says how many points."""

    code = "points_missing"
    message = _("Row %(row)d has no points. Give each row points, or one amount for all.")

    def __init__(self, *, row: int) -> None:
        super().__init__(row=row)


_FAULTS = {
    "missing_employee_no": _("row %(row)d without an employee number"),
    "duplicate": _("row %(row)d repeats an employee number"),
    "points": _("row %(row)d with points that are not a number"),
    "employee_no": _("row %(row)d with an employee number that cannot be read"),
}
_SHOWN = 10


def of_file(path: Path) -> list[Amount]:
    """The rows of a file of any supported kind. Raises UnreadableList, FaultyList."""
    found = sandbox.list_file(path)
    if isinstance(found, Checked):
        raise UnreadableList(reason=_rejection(found))
    return _without_faults(*found)


def of_upload(file: File[bytes]) -> list[Amount]:
    """The rows of an uploaded file of any supported kind. Raises UnreadableList, FaultyList."""
    with tempfile.NamedTemporaryFile(suffix=Path(file.name or "").suffix[:8]) as copy:
        for chunk in file.chunks():
            copy.write(chunk)
        copy.flush()
        return of_file(Path(copy.name))


def of_text(text: str) -> list[Amount]:
    """The rows of typed lines. Raises UnreadableList, FaultyList."""
    try:
        return _without_faults(*listing.of_text(text))
    except Rejected as rejected:
        checked = Checked(
            outcome="rejected",
            reject_code=rejected.code,
            reject_reason=rejected.reason,
            reject_params=rejected.params,
        )
        raise UnreadableList(reason=_rejection(checked)) from rejected


def amounts(rows: list[Amount], *, rate: int, fen: int) -> tuple[tuple[str, int], ...]:
    """(employee number, fen) of each row: its own points at the company's rate, else `fen`. Raises PointsMissing."""
    found = []
    for row, number, points in rows:
        if points is None and not fen:
            raise PointsMissing(row=row)
        own = fen if points is None else money.parse_points(plain(points), rate)
        found.append((number, own))
    return tuple(found)


def plain(points: int | Decimal) -> str:
    """Points as a person would type them."""
    return format(Decimal(points), "f")


def _rejection(checked: Checked) -> str:
    if checked.reject_code == "no_header":
        return str(
            _(
                "No header was found: one row must name 工号 (employee number), and 积分 (points) where they differ."
            )
        )
    return messages.of_rejection(checked)


def _without_faults(rows: list[Amount], faults: list[Fault]) -> list[Amount]:
    if faults:
        shown = [
            str(_FAULTS.get(code) or _FAULTS[field]) % {"row": row} for row, field, code in faults[:_SHOWN]
        ]
        rest = ["…"] if len(faults) > _SHOWN else []
        raise FaultyList(rows="; ".join(shown + rest))
    return rows
