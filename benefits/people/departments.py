"""The tree of departments: add, rename, move, merge, delete. A department is named by its path; a path above others
that nobody was ever in (技术中心 of 技术中心/后端组) is a department too, and has a row once it is touched.

Every change holds the roster, so that two moves, or a move and an import, come one after the other.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from benefits.people.errors import (
    DepartmentExists,
    DepartmentInsideItself,
    DepartmentInUse,
    DepartmentNameUnusable,
    DepartmentNotFound,
    DepartmentPathTooLong,
)
from benefits.people.hold import hold_roster
from benefits.people.models import Department, Employee
from tenants import audit
from tenants.db import connection, transaction, transaction_required
from tenants.identity.models import User

PATH_CHARS = 200
_SEPARATORS = re.compile(r"[/\\>\x00-\x1f\x7f]")


@dataclass
class Node:
    """One department with those below it; counts are of active people."""

    path: str
    own: int = 0
    left: int = 0
    total: int = 0
    children: list["Node"] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]

    @property
    def parent(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def is_empty(self) -> bool:
        return not (self.own or self.left or self.children)


def tree() -> list[Node]:
    """The departments at the top, each with what is below it, in the order of their paths."""
    active = Q(employees__status=Employee.Status.ACTIVE)
    left = Q(employees__status=Employee.Status.LEFT)
    rows = Department.objects.order_by().annotate(
        own=Count("employees", filter=active), gone=Count("employees", filter=left)
    )
    nodes: dict[str, Node] = {}
    for path, own, gone in rows.values_list("path", "own", "gone"):
        node = nodes.setdefault(path, Node(path))
        node.own, node.left = own, gone
        for above in _above(path):
            nodes.setdefault(above, Node(above))
    top: list[Node] = []
    for path in sorted(nodes, key=lambda one: one.split("/")):
        node = nodes[path]
        (nodes[node.parent].children if node.parent else top).append(node)
    for path in sorted(nodes, key=lambda one: -one.count("/")):
        nodes[path].total = nodes[path].own + sum(child.total for child in nodes[path].children)
    return top


def flat(nodes: Iterable[Node]) -> list[tuple[int, Node]]:
    """(depth, node), every parent before its children."""
    found: list[tuple[int, Node]] = []
    waiting = [(0, node) for node in reversed(list(nodes))]
    while waiting:
        depth, node = waiting.pop()
        found.append((depth, node))
        waiting += [(depth + 1, child) for child in reversed(node.children)]
    return found


@transaction
def add(*, name: str, parent: str = "", actor: User | None, at: datetime) -> Department:
    """A new, empty department. Raises DepartmentExists, DepartmentNotFound for the parent, and unusable names."""
    hold_roster()
    if parent:
        _find(parent)
    path = _joined(parent, _named(name))
    if _exists(path):
        raise DepartmentExists(path=path)
    made = Department.objects.create(path=path)
    audit.record("department.added", made, actor=actor, at=at, path=path)
    return made


@transaction
def rename(*, path: str, name: str, actor: User | None, at: datetime) -> str:
    """Another name in the same place; what is below follows. Returns the new path."""
    hold_roster()
    _find(path)
    new = _joined(path.rpartition("/")[0], _named(name))
    return _repath(path, new, action="department.renamed", actor=actor, at=at)


@transaction
def move(*, path: str, parent: str, actor: User | None, at: datetime) -> str:
    """To another place, at the top where `parent` is empty; what is below comes along. Returns the new path.

    Raises DepartmentInsideItself, DepartmentExists, DepartmentNotFound.
    """
    hold_roster()
    _find(path)
    if parent:
        _find(parent)
    if _is_within(parent, path):
        raise DepartmentInsideItself(path=path)
    new = _joined(parent, path.rsplit("/", 1)[-1])
    return _repath(path, new, action="department.moved", actor=actor, at=at)


@transaction
def merge(*, path: str, into: str, actor: User | None, at: datetime) -> int:
    """Everybody of a department, and of those below it, goes to the same place within another; the first is gone then.

    Returns how many people, of those here now and those who left, went along.
    """
    hold_roster()
    _find(path)
    _find(into)
    if _is_within(into, path):
        raise DepartmentInsideItself(path=path)
    sources = {d.path: d.pk for d in _subtree(path)}
    targets = {old: into + old[len(path) :] for old in sources}
    _refuse_long(targets.values())
    known = set(Department.objects.filter(path__in=targets.values()).values_list("path", flat=True))
    Department.objects.bulk_create(Department(path=one) for one in {*targets.values()} - known)
    pks = dict(Department.objects.filter(path__in=targets.values()).values_list("path", "pk"))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE people_employee e SET department_id = n.target, updated_at = %s"
            " FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS n(source, target, path)"
            " WHERE e.department_id = n.source RETURNING e.id, n.path",
            [at, list(sources.values()), [pks[targets[old]] for old in sources], list(sources)],
        )
        moved = cursor.fetchall()
    audit.record_each(
        "employee.changed",
        ((Employee(pk=pk), {"changes": {"department": [old, targets[old]]}}) for pk, old in moved),
        actor=actor,
        at=at,
    )
    Department.objects.filter(pk__in=set(sources.values()) - set(pks.values())).delete()
    merged = Department.objects.get(path=into)
    audit.record(
        "department.merged", merged, actor=actor, at=at, before=path, after=into, employees=len(moved)
    )
    return len(moved)


@transaction
def delete(*, path: str, actor: User | None, at: datetime) -> None:
    """Take an empty department away. Raises DepartmentInUse where anybody is in it, or was when they left."""
    hold_roster()
    found = _find(path)
    if found.employees.exists() or _subtree(path).exclude(pk=found.pk).exists():
        raise DepartmentInUse(path=path)
    audit.record("department.deleted", found, actor=actor, at=at, path=path)
    found.delete()


@transaction_required
def _repath(old: str, new: str, *, action: str, actor: User | None, at: datetime) -> str:
    if old == new:
        return old
    if _exists(new):
        raise DepartmentExists(path=new)
    _refuse_long(new + one.path[len(old) :] for one in _subtree(old))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE people_department SET path = %(new)s || substr(path, length(%(old)s) + 1)"
            " WHERE path = %(old)s OR starts_with(path, %(old)s || '/')",
            {"old": old, "new": new},
        )
    moved = Department.objects.get(path=new)
    audit.record(action, moved, actor=actor, at=at, before=old, after=new)
    return new


def _subtree(path: str) -> QuerySet[Department]:
    return Department.objects.filter(Q(path=path) | Q(path__startswith=f"{path}/"))


def _exists(path: str) -> bool:
    return _subtree(path).exists()


@transaction_required
def _find(path: str) -> Department:
    """The department of a path. Where it, or one above it, only stood above others, it gets its row: none of them
    vanishes when its last branch is taken away."""
    if not path or not _exists(path):
        raise DepartmentNotFound(path=path)
    Department.objects.bulk_create(
        [Department(path=one) for one in (*_above(path), path)], ignore_conflicts=True
    )
    return Department.objects.get(path=path)


def _above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:length]) for length in range(1, len(parts))]


def _is_within(path: str, outer: str) -> bool:
    return path == outer or path.startswith(f"{outer}/")


def _named(name: str) -> str:
    name = " ".join(name.split())
    if not name or _SEPARATORS.search(name):
        raise DepartmentNameUnusable(name=name)
    return name


def _joined(parent: str, name: str) -> str:
    path = f"{parent}/{name}" if parent else name
    _refuse_long([path])
    return path


def _refuse_long(paths: Iterable[str]) -> None:
    for path in paths:
        if len(path) > PATH_CHARS:
            raise DepartmentPathTooLong(path=path, limit=PATH_CHARS)
