"""States: a `Status`, a `FLOW` table on the model, and one function that moves a row along it."""

from collections.abc import Mapping
from typing import Any

from django.db import models

from tenants.errors import IllegalTransition

Flow = Mapping[str, frozenset[str]]


def sources(flow: Flow, to: str) -> list[str]:
    """The states from which `to` can be reached in one step."""
    return [status for status, targets in flow.items() if to in targets]


def advance(obj: models.Model, to: str, **changes: object) -> None:
    """Move `obj` along its FLOW and set `changes` with it, or raise IllegalTransition.

    One UPDATE that names the states it may come from: of two racing callers exactly one changes the row.
    """
    row: Any = obj  # a model with a `status` and a `FLOW`
    rows = type(obj)._default_manager.filter(pk=obj.pk, status__in=sources(row.FLOW, to))
    moved = rows.update(status=to, **changes)
    obj.refresh_from_db(fields=["status", *changes])
    if not moved:
        raise IllegalTransition(status=row.get_status_display())
