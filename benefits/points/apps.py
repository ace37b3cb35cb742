from django.apps import AppConfig


class PointsConfig(AppConfig):
    name = "benefits.points"
    label = "points"
    default_auto_field = "django.db.models.BigAutoField"
