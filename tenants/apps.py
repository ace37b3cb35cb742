from importlib import import_module

from django.apps import AppConfig
from django.conf import settings


class TenantsConfig(AppConfig):
    name = "tenants"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from tenants import checks  # noqa: F401  registers the system checks

        # Every process that may ring a task has the application, not only the workers.
        import_module(settings.TASK_APPLICATION)
