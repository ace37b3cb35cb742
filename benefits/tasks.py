"""The doors that workers use: one call each, ids as keyword arguments, the schema in the header."""

from celery import shared_task
from django.utils import timezone

from benefits.fulfilment import operations as fulfilment


@shared_task(name="benefits.send_due")
def send_due() -> None:
    fulfilment.send_due(clock=timezone.now)


@shared_task(name="benefits.ask_due")
def ask_due() -> None:
    fulfilment.ask_due(clock=timezone.now)
