"""Finance pages on the platform's own host."""

from django.urls import URLPattern, path

from reports import views_platform as views

urlpatterns: list[URLPattern] = [
    path("invoices/", views.invoice_list, name="platform_invoices"),
    path("invoices/run/", views.invoice_run, name="platform_invoice_run"),
    path("invoices/<slug:number>/", views.invoice_detail, name="platform_invoice"),
    path("invoices/<slug:number>.pdf", views.invoice_pdf, name="platform_invoice_pdf"),
    path("invoices/<slug:number>.xlsx", views.invoice_workbook, name="platform_invoice_workbook"),
]
