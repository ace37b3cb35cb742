"""Addresses of the platform console."""

from django.urls import path

from benefits.web.platform import (
    batches,
    cases,
    companies,
    deliveries,
    desk,
    funds,
    records,
    staff,
    suppliers,
)

urlpatterns = [
    path("", desk.desk, name="platform_desk"),
    path("companies/", companies.companies, name="platform_companies"),
    path("open-company/", companies.open_company, name="platform_company_open"),
    path("companies/<slug:schema>/", companies.company, name="platform_company"),
    path("companies/<slug:schema>/suspend/", companies.suspend, name="platform_company_suspend"),
    path("companies/<slug:schema>/resume/", companies.resume, name="platform_company_resume"),
    path("companies/<slug:schema>/link/<int:user_id>/", companies.link, name="platform_company_link"),
    path("companies/<slug:schema>/deposit/", companies.record_deposit, name="platform_deposit_record"),
    path("companies/<slug:schema>/credit/", companies.set_credit, name="platform_credit"),
    path("deposits/", funds.deposits, name="platform_deposits"),
    path("deposits/<int:deposit_id>/confirm/", funds.confirm, name="platform_deposit_confirm"),
    path("deposits/<int:deposit_id>/reject/", funds.reject, name="platform_deposit_reject"),
    path("deliveries/", deliveries.deliveries, name="platform_deliveries"),
    path("deliveries/<int:delivery_id>/", deliveries.delivery, name="platform_delivery"),
    path(
        "deliveries/<int:delivery_id>/again/<int:attempt_id>/",
        deliveries.send_again,
        name="platform_send_again",
    ),
    path("deliveries/<int:delivery_id>/codes/", deliveries.reveal, name="platform_codes"),
    path("suppliers/", suppliers.suppliers, name="platform_suppliers"),
    path("add-supplier/", suppliers.add, name="platform_supplier_add"),
    path("suppliers/<slug:slug>/", suppliers.supplier, name="platform_supplier"),
    path("suppliers/<slug:slug>/change/", suppliers.change, name="platform_supplier_change"),
    path("suppliers/<slug:slug>/pause/", suppliers.pause, name="platform_supplier_pause"),
    path("suppliers/<slug:slug>/offers/", suppliers.set_offer, name="platform_offer"),
    path(
        "suppliers/<slug:slug>/offers/<int:offer_id>/pause/",
        suppliers.pause_offer,
        name="platform_offer_pause",
    ),
    path("batches/", batches.batches, name="platform_batches"),
    path("batches/<int:batch_id>/", batches.batch, name="platform_batch"),
    path("cases/", cases.cases, name="platform_cases"),
    path("cases/<int:case_id>/", cases.case, name="platform_case"),
    path("audit/", records.records, name="platform_audit"),
    path("staff/", staff.staff, name="platform_staff"),
    path("staff/<int:user_id>/", staff.member, name="platform_member"),
    path("staff/<int:user_id>/close/", staff.close, name="platform_member_close"),
    path("staff/<int:user_id>/second-factor/", staff.reset, name="platform_member_reset"),
    path("staff/<int:user_id>/link/", staff.link, name="platform_member_link"),
]
