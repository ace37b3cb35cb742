"""Roster imports: the history, the upload, and one import wherever it stands."""

from io import BytesIO

import xlsxwriter
from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from benefits.people.models import Employee
from benefits.roster import fields, messages, operations, queries
from benefits.roster.models import RosterImport
from benefits.roster.parts import LIMITS
from benefits.roster.plan import Mode
from benefits.web.company import import_check, import_columns, import_result, import_run, shown
from benefits.web.company.import_forms import UploadForm
from benefits.web.company.import_run import STEPS, TONES, UNDER_WAY, UPLOAD, Status
from tenants.access import allow
from tenants.errors import DomainError, TooMany
from tenants.identity.roles import Role

HISTORY = 20
FLOOD_SECONDS = 60  # uploads are counted over a minute
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EXAMPLES = {
    "employee_no": "A00123",
    "name": "王伟",
    "mobile": "13800138000",
    "department": "研发部/后端组",
    "email": "name@example.com",
    "hired_on": "2024-03-01",
    "birthday": "1990-05-20",
    "grade": "P5",
    "city": "上海",
    "regular_on": "2024-09-01",
    "points": "500",
    "status": "在职",
    "left_on": "2026-11-30",
}


@allow(Role.HR, Role.ADMIN)
def imports(request: HttpRequest) -> HttpResponse:
    """All imports, the newest first."""
    page = Paginator(queries.imports(), HISTORY).get_page(request.GET.get("page"))
    context = {
        "section": "imports",
        "page": page,
        "rows": [{"one": one, "tone": TONES[Status(one.status)], "counts": one.counts} for one in page],
    }
    return render(request, "company/imports.html", context)


@allow(Role.HR, Role.ADMIN)
def new(request: HttpRequest) -> HttpResponse:
    """Choose a file; a worker checks it."""
    company = shown.company_of(request)
    is_sent = request.method == "POST"
    form = UploadForm(request.POST if is_sent else None, request.FILES if is_sent else None, company=company)
    status = _shape(request) if is_sent else 200
    if status == 400:
        form.add_error("file", _("Send one file from the form on this page."))
    elif is_sent and not form.is_valid():
        status = 422
    elif is_sent:
        file = form.cleaned_data["file"]
        try:
            found = operations.receive(
                file=file,
                file_name=file.name,
                mode=Mode(form.cleaned_data["mode"]),
                actor=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
            )
        except DomainError as error:
            form.refuse(error)
            status = error.status
        else:
            import_run.ring(request, found)
            return _onward(request, found)
    context = {
        "section": "imports",
        "form": form,
        "steps": STEPS,
        "step": UPLOAD,
        "is_first": not Employee.objects.exists(),
        "limit": form.limit(),
        "bytes": settings.ROSTER_MAX_BYTES,
        "most_rows": f"{LIMITS.rows:,}",
        "taught": len(queries.taught()),
    }
    response = render(request, "company/import_new.html", context, status=status)
    if status == TooMany.status:
        response.headers["Retry-After"] = str(FLOOD_SECONDS)
    return response


@allow(Role.HR, Role.ADMIN)
def roster_import(request: HttpRequest, pk: int) -> HttpResponse:
    """One import wherever it stands: being checked, to confirm, being applied, done, refused."""
    found = queries.find_import(pk)
    if found.status in UNDER_WAY:
        return import_run.page(request, found)
    if found.status == Status.PLANNED:
        return import_check.page(request, found)
    if import_columns.may_choose(found):
        return import_columns.page(request, found)
    if found.status in (Status.APPLIED, Status.UNDONE):
        return import_result.page(request, found)
    context = {**import_run.about(found), "reason": rejection(found), "is_failed": _has_failed(found)}
    name = (
        "company/import_rejected.html" if found.status == Status.REJECTED else "company/import_cancelled.html"
    )
    return render(request, name, context)


@allow(Role.HR, Role.ADMIN)
@never_cache
def problems(request: HttpRequest, pk: int) -> HttpResponse:
    """The file with its problem cells marked, to correct and upload again."""
    found = queries.find_import(pk)
    if not found.file or found.status not in (Status.PLANNED, Status.APPLIED):
        return redirect("company_import", pk=pk)
    return _workbook(queries.problem_workbook(found), f"roster-{found.pk}-problems.xlsx")


@allow(Role.HR, Role.ADMIN)
def template(request: HttpRequest) -> HttpResponse:
    """An empty staff list with our headings, whose columns keep what is typed as text."""
    out = BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    bold, text = book.add_format({"bold": True, "bg_color": "#E3EFEC"}), book.add_format({"num_format": "@"})
    page, about = book.add_worksheet(_("Staff list")), book.add_worksheet(_("How to fill it in"))
    about.write_row(0, 0, [_("Heading"), _("Meaning"), _("Example")], bold)
    kept = [field for field in fields.FIELDS if field.kept]
    for column, field in enumerate(kept):
        spelling = _spelling(field)
        page.set_column(column, column, 16, text)
        page.write_string(0, column, spelling, bold)
        needed = _("%(field)s (needed)") if field.required else "%(field)s"
        about.write_string(column + 1, 0, spelling)
        about.write_string(column + 1, 1, needed % {"field": messages.FIELD_LABELS[field.name]})
        about.write_string(column + 1, 2, EXAMPLES.get(field.name, ""))
    page.freeze_panes(1, 0)
    about.set_column(0, 2, 28)
    book.close()
    return _workbook(out.getvalue(), "roster-template.xlsx")


def rejection(found: RosterImport) -> str:
    """Why the file was not used."""
    if _has_failed(found):
        return _(
            "The file could not be worked through, although it was tried several times. Nothing was changed."
        )
    return queries.rejection(found)


def _has_failed(found: RosterImport) -> bool:
    return found.reject.get("code") == "failed"


def _shape(request: HttpRequest) -> int:
    """400 where a form of another shape than the page's was sent, else 200."""
    is_form = request.content_type == "multipart/form-data"
    is_whole = len(request.FILES.getlist("file")) <= 1 and "file" not in request.POST
    return 200 if is_form and is_whole else 400


def _onward(request: HttpRequest, found: RosterImport) -> HttpResponse:
    """To the import's page; htmx, which told of the upload's progress, is told to go there as a whole page."""
    response = redirect("company_import", pk=found.pk)
    if request.headers.get("HX-Request"):
        answer = HttpResponse(status=204)
        answer.headers["HX-Redirect"] = response.url
        return answer
    return response


def _workbook(data: bytes, name: str) -> HttpResponse:
    response = HttpResponse(data, content_type=XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _spelling(field: fields.Field) -> str:
    """A heading that is read again, in the reader's language."""
    is_english = (get_language() or "").startswith("en")
    return next((one for one in field.spellings if one.isascii() == is_english), field.spellings[0])
