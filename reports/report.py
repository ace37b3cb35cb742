"""What a report is: a monthly table of one company, which every writer can print."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from reports.periods import Month
from reports.tables import Column
from tenants.identity.roles import Role
from tenants.models import Company

FINANCE = (Role.FINANCE, Role.ADMIN, Role.HR)


@dataclass(frozen=True)
class Report:
    """A monthly table of one company. `rows` runs in the company's schema."""

    slug: str
    title: Any
    about: Any
    columns: Sequence[Column]
    rows: Callable[[Company, Month], Iterable[Sequence[object]]]
    roles: Sequence[Role] = FINANCE
