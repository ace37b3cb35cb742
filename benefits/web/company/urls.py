from django.urls import URLPattern, path

from benefits.web.company import budgets, employees, funds, grants, overview, people

urlpatterns: list[URLPattern] = [
    path("", overview.overview, name="company_overview"),
    path("employees/", employees.employees, name="company_employees"),
    path("employees/<int:pk>/", employees.employee, name="company_employee"),
    path("employees/<int:pk>/peek/", employees.peek, name="company_employee_peek"),
    path("employees/<int:pk>/link/", employees.link, name="company_employee_link"),
    path("people/", people.people, name="company_people"),
    path("people/invite/", people.invite, name="company_people_invite"),
    path("people/<int:pk>/", people.person, name="company_person"),
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
