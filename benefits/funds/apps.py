from django.apps import AppConfig


class FundsConfig(AppConfig):
    name = "benefits.funds"
    label = "funds"
    default_auto_field = "django.db.models.BigAutoField"
