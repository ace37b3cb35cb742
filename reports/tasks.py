"""The doors that workers use: one call each, ids as keyword arguments."""

from celery import shared_task
from django.utils import timezone

from reports.invoices import operations


@shared_task(name="reports.file_invoices")
def file_invoices() -> None:
    operations.file_pending(at=timezone.now())
