"""Finance pages below /company/."""

from django.urls import URLPattern, path, re_path

from reports import views, views_explain

urlpatterns: list[URLPattern] = [
    path("invoices/", views.invoice_list, name="company_invoices"),
    path("invoices/<slug:number>/", views.invoice_detail, name="company_invoice"),
    path("invoices/<slug:number>.pdf", views.invoice_pdf, name="company_invoice_pdf"),
    path("invoices/<slug:number>.xlsx", views.invoice_workbook, name="company_invoice_workbook"),
    path("statements/", views.statement_page, name="company_statement"),
    path("statements.xlsx", views.statement_workbook, name="company_statement_workbook"),
    path("explain/", views_explain.explain_page, name="company_explain"),
    path("explain.json", views_explain.explain_json, name="company_explain_json"),
    path("balances/", views_explain.balance_page, name="company_balances"),
    path("balances.json", views_explain.balance_json, name="company_balances_json"),
    path("reports/", views.report_list, name="company_reports"),
    path("reports/<slug:slug>/", views.report_page, name="company_report"),
    re_path(
        r"^reports/(?P<slug>[a-z-]+)\.(?P<kind>xlsx|csv)$", views.report_file, name="company_report_file"
    ),
]
