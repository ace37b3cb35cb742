"""Addresses on the platform's own host."""

from django.urls import include, path

urlpatterns = [
    path("", include("tenants.identity.urls")),
    path("", include("benefits.web.platform.urls")),
    path("", include("reports.urls_platform")),
    path("callbacks/", include("benefits.api.urls")),
]

handler404 = "tenants.views.not_found"
handler500 = "tenants.views.failed"
