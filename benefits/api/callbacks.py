"""Where suppliers call back: the body is read whole and small, verified, kept; then the bell rings."""

import contextlib
import socket
import threading
from collections.abc import Iterator

from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from benefits import tasks
from benefits.fulfilment import operations, queries
from benefits.fulfilment.errors import CallbackTooLarge, CallbackUnreadable
from tenants.access import ANYONE, allow
from tenants.errors import DomainError

MOST_BYTES = 65_536
BODY_SECONDS = 5.0  # a supplier's few hundred bytes come at once


@csrf_exempt
@require_POST
@allow(ANYONE)
def receive(request: HttpRequest, slug: str) -> HttpResponse:
    """Hear one callback of a supplier. A database that is away answers 503, so that the supplier repeats it."""
    try:
        reply = operations.receive_callback(
            supplier=queries.find_supplier(slug),
            body=_body(request),
            query=request.GET.dict(),
            headers=request.headers,
            at=timezone.now(),
        )
    except DomainError as error:
        return JsonResponse(error.as_dict(), status=error.status)
    except DatabaseError:
        return HttpResponse("try again later", status=503, content_type="text/plain")
    tasks.ask_due.ring("public")
    return HttpResponse(reply.body, status=reply.status, content_type=reply.content_type)


def _body(request: HttpRequest) -> bytes:
    """Read at most what a supplier may send; a body that claims less than it holds is cut by the server."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
        raise CallbackTooLarge(bytes=MOST_BYTES)
    with _in_time(request):
        body = request.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise CallbackTooLarge(bytes=MOST_BYTES)
    if len(body) < int(request.META.get("CONTENT_LENGTH") or 0):
        raise CallbackUnreadable
    return body


@contextlib.contextmanager
def _in_time(request: HttpRequest) -> Iterator[None]:
    """Stop listening to a sender that drips: a few of them would hold every thread of the server."""
    link = request.META.get("gunicorn.socket")
    if link is None:
        yield
        return
    timer = threading.Timer(BODY_SECONDS, _stop_listening, [link])
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _stop_listening(link: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it has gone by itself
        link.shutdown(socket.SHUT_RD)
