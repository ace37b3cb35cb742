"""What can go wrong with employees and departments."""

from django.utils.translation import gettext_lazy as _

from tenants.errors import Conflict, Invalid, NotFound


class EmployeeNotFound(NotFound):
    """No employee has this number."""

    code = "employee_not_found"
    message = _("No employee has the number “%(employee_no)s”.")

    def __init__(self, *, employee_no: str) -> None:
        super().__init__(employee_no=employee_no)


class EmployeesNotFound(NotFound):
    """Some of those who were named are not on this company's roster; nobody is touched then."""

    code = "employees_not_found"
    message = _("Some of the chosen people are not on the roster. Nothing was changed; choose again.")

    def __init__(self) -> None:
        super().__init__()


class EmployeeNumberTaken(Conflict):
    """The number belongs to somebody, perhaps to one who left."""

    code = "employee_number_taken"
    message = _("The number “%(employee_no)s” belongs to somebody on the roster already.")

    def __init__(self, *, employee_no: str) -> None:
        super().__init__(employee_no=employee_no)


class SimilarEmployeeNumber(Conflict):
    """The number differs from another in its leading zeros alone, as Excel makes them."""

    code = "similar_employee_number"
    message = _("Employee “%(other)s” differs only in leading zeros. Correct the number.")

    def __init__(self, *, other: str) -> None:
        super().__init__(other=other)


class MobileTaken(Conflict):
    """A mobile is one active person's."""

    code = "mobile_taken"
    message = _("The mobile number of “%(employee_no)s” belongs to “%(other)s”. Correct one of them first.")

    def __init__(self, *, employee_no: str, other: str) -> None:
        super().__init__(employee_no=employee_no, other=other)


class EmployeeChanged(Conflict):
    """Somebody else saved this employee since the page was opened."""

    code = "employee_changed"
    message = _("Somebody changed “%(employee_no)s” meanwhile. Compare, then save again.")

    def __init__(self, *, employee_no: str) -> None:
        super().__init__(employee_no=employee_no)


class RosterBusy(Conflict):
    """A roster is being applied just now."""

    code = "roster_busy"
    message = _("The roster is being changed just now, perhaps by an import. Try again in a minute.")

    def __init__(self) -> None:
        super().__init__()


class DepartmentNotFound(NotFound):
    """There is no such department."""

    code = "department_not_found"
    message = _("There is no department “%(path)s”. Somebody may have moved it.")

    def __init__(self, *, path: str) -> None:
        super().__init__(path=path)


class DepartmentExists(Conflict):
    """A department stands there already; two can be merged instead."""

    code = "department_exists"
    message = _("There is a department “%(path)s” already. Merge the two instead, or choose another name.")

    def __init__(self, *, path: str) -> None:
        super().__init__(path=path)


class DepartmentInsideItself(Conflict):
    """A department cannot come below itself."""

    code = "department_inside_itself"
    message = _("“%(path)s” cannot go below itself. Choose another place.")

    def __init__(self, *, path: str) -> None:
        super().__init__(path=path)


class DepartmentInUse(Conflict):
    """Only an empty department can be deleted."""

    code = "department_in_use"
    message = _("“%(path)s” still has people or departments below it. Move or merge them first.")

    def __init__(self, *, path: str) -> None:
        super().__init__(path=path)


class DepartmentNameUnusable(Invalid):
    """A name is one level: not empty, without the signs that separate levels."""

    code = "department_name_unusable"
    message = _("“%(name)s” cannot name a department: give a name without / \\ and >.")

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)


class DepartmentPathTooLong(Invalid):
    """The whole path, of this department or one below it, would not fit."""

    code = "department_path_too_long"
    message = _(
        "With all its levels “%(path)s” would be longer than %(limit)d characters. Shorten the names."
    )

    def __init__(self, *, path: str, limit: int) -> None:
        super().__init__(path=path, limit=limit)
