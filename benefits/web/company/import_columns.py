"""How the file of an import is read: its sheet, its header row, what each column holds, hidden rows."""

import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST

from benefits import mobile
from benefits.roster import messages, operations, queries
from benefits.roster.models import RosterImport
from benefits.web.company import import_run, shown
from benefits.web.company.import_forms import ColumnsForm
from benefits.web.company.import_run import COLUMNS, Status
from tenants.access import allow
from tenants.errors import DomainError
from tenants.identity.roles import Role

_YEAR = re.compile(r"(?<![0-9])(?:19|20)[0-9]{2}")  # a birthday is shown without it
_MOBILE = re.compile(r"(?<![0-9])1[3-9][0-9]{9}(?![0-9])")


@allow(Role.HR, Role.ADMIN)
def columns(request: HttpRequest, pk: int) -> HttpResponse:
    """Say which sheet, header row and columns are meant; the file is checked again."""
    found = queries.find_import(pk)
    if not may_choose(found):
        return redirect("company_import", pk=pk)
    if request.method != "POST":
        return page(request, found)
    form = _form(request, found, data=request.POST)
    if not form.is_valid():
        return page(request, found, form=form, status=422)
    table = form.cleaned_data["table"]
    sheet, header_row = table or (found.choices.sheet, found.choices.header_row)
    try:
        found = operations.choose(
            roster_import=found,
            sheet=sheet,
            header_row=header_row,
            columns=form.cleaned_data["columns"],
            without_hidden=form.cleaned_data["without_hidden"],
            remember=form.cleaned_data["remember"],
            actor=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
        )
    except DomainError as error:
        form.refuse(error)
        return page(request, found, form=form, status=error.status)
    import_run.ring_anew(request, found)
    return redirect("company_import", pk=pk)


@allow(Role.HR, Role.ADMIN)
@require_POST
def hidden(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave the hidden rows of the file out, or take them in again; everything else stays as it was chosen."""
    found = queries.find_import(pk)
    choices = found.choices
    found = operations.choose(
        roster_import=found,
        sheet=choices.sheet,
        header_row=choices.header_row,
        columns=choices.columns,
        without_hidden="out" in request.POST,
        actor=request.user,  # type: ignore[arg-type]
        at=timezone.now(),
    )
    import_run.ring_anew(request, found)
    return redirect("company_import", pk=pk)


def may_choose(found: RosterImport) -> bool:
    """Whether people may say now how the file is to be read."""
    is_headless = found.status == Status.REJECTED and found.reject.get("code") == "no_header"
    return bool(found.file) and (found.status == Status.PLANNED or is_headless)


def hidden_rows(found: RosterImport) -> dict[str, int]:
    """How many rows of the sheet are hidden: `included`, or `left_out`."""
    names = {"hidden_rows": "included", "hidden_rows_left_out": "left_out"}
    notes = found.facts.get("notes", [])
    return {names[code]: int(params["count"]) for code, params in notes if code in names}


def page(
    request: HttpRequest, found: RosterImport, *, form: ColumnsForm | None = None, status: int = 200
) -> HttpResponse:
    """The page to choose on; of a file without a header, with why it could not be read."""
    form = form or _form(request, found)
    context = {
        **import_run.about(found),
        "step": COLUMNS,
        "form": form,
        "reason": queries.rejection(found) if found.status == Status.REJECTED else "",
        "sheets": _sheets(form),
        "lines": sorted((_line(form, column) for column in form.offered), key=lambda line: line["order"]),
        "hidden": hidden_rows(found),
        "used": pgettext("between words of a list", ", ").join(
            str(messages.FIELD_LABELS[column.field]) for column in form.offered if column.field
        ),
    }
    return render(request, "company/import_columns.html", context, status=status)


def _form(request: HttpRequest, found: RosterImport, data: Any = None) -> ColumnsForm:
    company = shown.company_of(request)
    return ColumnsForm(data, company=company, mapping=queries.mapping(found), roster_import=found)


def _sheets(form: ColumnsForm) -> list[dict[str, Any]]:
    """The sheets with their first rows, each of which may be chosen as the header."""
    picked = str(form["pick"].value() or "")
    return [
        {
            "sheet": sheet,
            "width": max((len(row) for row in sheet.top), default=1) + 1,
            "is_current": picked.startswith(f"{index}:"),
            "rows": [
                {
                    "number": number,
                    "cells": [shown_sample(cell) for cell in cells],
                    "pick": f"{index}:{number}",
                    "is_header": number == sheet.header_row,
                }
                for number, cells in enumerate(sheet.top, start=1)
                if any(cells)
            ],
        }
        for index, sheet in enumerate(form.sheets)
    ]


def shown_sample(text: str) -> str:
    """A cell of the file as a sample: a mobile number, however it is written, keeps its ends only."""
    if whole := mobile.clean(text):
        return mobile.masked(whole)
    return _MOBILE.sub(lambda match: mobile.masked(match[0]), text)


def _line(form: ColumnsForm, column: Any) -> dict[str, Any]:
    field = form[f"column-{column.letter}"]
    chosen = field.value() or ""
    suggestion = "" if chosen else column.suggestion or ""
    return {
        "order": (0 if suggestion else 1 if chosen else 2, len(column.letter), column.letter),
        "column": column,
        "field": field,
        "chosen": chosen,
        "suggestion": messages.FIELD_LABELS.get(suggestion, ""),
        "samples": [
            _YEAR.sub("****", sample) if column.field == "birthday" else shown_sample(sample)
            for sample in column.samples
        ],
    }
