"""What can go wrong with employees."""

from django.utils.translation import gettext_lazy as _

from tenants.errors import NotFound


class EmployeeNotFound(NotFound):
    """No employee has this number."""

    code = "employee_not_found"
    message = _("No employee has the number “%(employee_no)s”.")

    def __init__(self, *, employee_no: str) -> None:
        super().__init__(employee_no=employee_no)
