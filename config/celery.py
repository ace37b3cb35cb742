"""The task application; its settings are the CELERY_ ones of config/settings.py."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from celery import Celery

app = Celery("mall", task_cls="tenants.tasks.CompanyTask")
<<<<<<< HEAD
app.conf.update(
    broker_url=settings.BROKER_URL,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 3600, "socket_timeout": 10, "socket_connect_timeout": 2},
    task_ignore_result=True,
    task_acks_late=True,
    task_publish_retry=False,
    task_serializer="json",
    accept_content=["json"],
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    timezone="Asia/Shanghai",
    beat_schedule={
        "send what is due": {"task": "benefits.send_due", "schedule": 3.0, "options": {"headers": {"schema": "public"}, "expires": 10}},
        "ask after what is open": {"task": "benefits.ask_due", "schedule": 2.0, "options": {"headers": {"schema": "public"}, "expires": 10}},
        "settle what has an outcome": {"task": "benefits.sweep", "schedule": 3.0, "options": {"headers": {"schema": "public"}, "expires": 10}},
        "make files that invoices lack": {"task": "reports.file_invoices", "schedule": 60.0, "options": {"headers": {"schema": "public"}, "expires": 50}},
    },
)
app.autodiscover_tasks(["benefits", "reports"])
=======
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
>>>>>>> main
