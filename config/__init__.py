"""Settings, URLs, the task application and the processes that run the mall."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
