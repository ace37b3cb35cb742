from django.apps import AppConfig


class CmsConfig(AppConfig):
    """The pages that editors write."""

    name = "cms"
    label = "cms"
    default_auto_field = "django.db.models.BigAutoField"
