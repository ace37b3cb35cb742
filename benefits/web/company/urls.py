from django.urls import URLPattern, path

from benefits.web.company import budgets, employees, funds, grants, imports, overview, people

urlpatterns: list[URLPattern] = [
    path("", overview.overview, name="company_overview"),
    path("employees/", employees.employees, name="company_employees"),
    path("employees/<int:pk>/", employees.employee, name="company_employee"),
    path("employees/<int:pk>/peek/", employees.peek, name="company_employee_peek"),
    path("employees/<int:pk>/link/", employees.link, name="company_employee_link"),
    path("imports/", imports.imports, name="company_imports"),
    path("imports/new/", imports.new, name="company_import_new"),
    path("imports/<int:pk>/", imports.roster_import, name="company_import"),
    path("imports/<int:pk>/progress/", imports.progress, name="company_import_progress"),
    path("imports/<int:pk>/confirm/", imports.confirm, name="company_import_confirm"),
    path("imports/<int:pk>/cancel/", imports.cancel, name="company_import_cancel"),
    path("imports/<int:pk>/problems.xlsx", imports.problems, name="company_import_problems"),
    path("people/", people.people, name="company_people"),
    path("people/invite/", people.invite, name="company_people_invite"),
    path("people/<int:pk>/", people.person, name="company_person"),
    path("people/<int:pk>/access/", people.access, name="company_person_access"),
    path("people/<int:pk>/second-factor/", people.second_factor, name="company_person_second_factor"),
    path("people/<int:pk>/link/", people.link, name="company_person_link"),
    path("budgets/", budgets.budgets, name="company_budgets"),
    path("budgets/new/", budgets.new, name="company_budget_new"),
    path("budgets/<int:pk>/", budgets.budget, name="company_budget"),
    path("budgets/<int:pk>/load/", budgets.load, name="company_budget_load"),
    path("budgets/<int:pk>/return/", budgets.give_back, name="company_budget_return"),
    path("grants/", grants.grants, name="company_grants"),
    path("grants/new/", grants.new, name="company_grant_new"),
    path("grants/<int:pk>/", grants.grant, name="company_grant"),
    path("funds/", funds.funds, name="company_funds"),
]
