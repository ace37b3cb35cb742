"""The tree of departments, and one department: rename, move, merge into another, delete."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from benefits.people import departments as operations
from benefits.people.departments import Node
from benefits.people.models import Employee
from benefits.web.company import shown
from tenants.access import allow
from tenants.errors import DomainError
from tenants.identity.roles import Role


@allow(Role.HR, Role.ADMIN)
def departments(request: HttpRequest) -> HttpResponse:
    """The whole tree with how many people are where."""
    return _tree(request)


@allow(Role.HR, Role.ADMIN)
@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Add a department below another, or at the top."""
    try:
        made = operations.add(
            name=_text(request, "name"),
            parent=_text(request, "parent"),
            actor=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
        )
    except DomainError as error:
        return _tree(request, error=error)
    messages.success(request, _("“%(path)s” was added.") % {"path": made.path})
    return redirect("company_departments")


@allow(Role.HR, Role.ADMIN)
def department(request: HttpRequest) -> HttpResponse:
    """One department, named by its path in the address, and what can be done to it."""
    path = shown.searched(request.GET.get("path", ""), limit=200)
    if request.method == "POST":
        return _change(request, path)
    return _one(request, path)


def _change(request: HttpRequest, path: str) -> HttpResponse:
    change = _CHANGES.get(request.POST.get("action", ""))
    if change is None:
        raise Http404
    try:
        return change(request, path)
    except DomainError as error:
        if error.status == 404:
            messages.error(request, str(error))
            return redirect("company_departments")
        return _one(request, path, error=error, tried=request.POST.get("action", ""))


def _rename(request: HttpRequest, path: str) -> HttpResponse:
    new = operations.rename(path=path, name=_text(request, "name"), **_who(request))
    messages.success(request, _("It is called “%(path)s” now.") % {"path": new})
    return redirect(address(new))


def _move(request: HttpRequest, path: str) -> HttpResponse:
    new = operations.move(path=path, parent=_text(request, "parent"), **_who(request))
    messages.success(request, _("It stands at “%(path)s” now.") % {"path": new})
    return redirect(address(new))


def _merge(request: HttpRequest, path: str) -> HttpResponse:
    into = _text(request, "into")
    people = operations.merge(path=path, into=into, **_who(request))
    done = ngettext(
        "“%(path)s” is part of “%(into)s” now; %(count)d person went along.",
        "“%(path)s” is part of “%(into)s” now; %(count)d people went along.",
        people,
    )
    messages.success(request, done % {"path": path, "into": into, "count": people})
    return redirect(address(into))


def _delete(request: HttpRequest, path: str) -> HttpResponse:
    operations.delete(path=path, **_who(request))
    messages.success(request, _("“%(path)s” was deleted.") % {"path": path})
    return redirect("company_departments")


_CHANGES: dict[str, Callable[[HttpRequest, str], HttpResponse]] = {
    "rename": _rename,
    "move": _move,
    "merge": _merge,
    "delete": _delete,
}


def address(path: str) -> str:
    """The page of one department."""
    return f"{reverse('company_department')}?{urlencode({'path': path})}"


def _who(request: HttpRequest) -> Any:
    return {"actor": request.user, "at": timezone.now()}


def _text(request: HttpRequest, name: str) -> str:
    return shown.searched(request.POST.get(name, ""), limit=200)


def _tree(request: HttpRequest, *, error: DomainError | None = None) -> HttpResponse:
    nodes = operations.flat(operations.tree())
    context = {
        "section": "employees",
        "rows": [{"depth": min(depth, 8), "node": node} for depth, node in nodes],
        "without": Employee.objects.filter(department=None, status=Employee.Status.ACTIVE).count(),
        "error": error,
        "typed": request.POST,
    }
    return render(
        request, "company/employee_departments.html", context, status=error.status if error else 200
    )


def _one(
    request: HttpRequest, path: str, *, error: DomainError | None = None, tried: str = ""
) -> HttpResponse:
    nodes = [node for _depth, node in operations.flat(operations.tree())]
    found = next((node for node in nodes if node.path == path), None)
    if found is None:
        raise Http404
    context = {
        "section": "employees",
        "node": found,
        "others": [node for node in nodes if not _within(node, path)],
        "children": len([node for node in nodes if _within(node, path)]) - 1,
        "to": request.POST.get("parent", request.GET.get("to", found.parent)),
        "error": error,
        "tried": tried,
        "typed": request.POST,
    }
    status = error.status if error else 200
    return render(request, "company/employee_department.html", context, status=status)


def _within(node: Node, path: str) -> bool:
    return node.path == path or node.path.startswith(f"{path}/")
