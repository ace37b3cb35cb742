"""An order's receipt: its sealed records with their proofs, for the order's owner to keep."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from benefits.journal import receipts
from benefits.journal.verify import canonical
from benefits.orders import queries as orders
from benefits.web.portal.visitor import employee_of
from tenants.access import allow
from tenants.identity.roles import Role


@allow(Role.EMPLOYEE)
@require_safe
def receipt(request: HttpRequest, number: str) -> HttpResponse:
    """The receipt as verify.py reads it. Raises ReceiptNotReady for the minute until the order is sealed."""
    found = orders.find_order(employee_of(request), number)
    response = HttpResponse(canonical(receipts.receipt_of(found)) + b"\n", content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="receipt-{found.number}.json"'
    response["Cache-Control"] = "private, no-store"
    return response
