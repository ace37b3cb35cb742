"""Addresses on a company's host."""

from django.urls import include, path
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtail_admin_urls
from wagtail.documents import urls as wagtail_documents_urls

urlpatterns = [
    path("", include("tenants.identity.urls")),
    path("company/", include("benefits.web.company.urls")),
    path("company/", include("reports.urls")),
    path("cms/", include(wagtail_admin_urls)),
    path("documents/", include(wagtail_documents_urls)),
    path("", include("cms.urls")),
    path("", include("benefits.web.portal.urls")),
    path("", include(wagtail_urls)),
]

handler404 = "tenants.views.not_found"
handler500 = "tenants.views.failed"
