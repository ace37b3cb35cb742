"""Signing in and out, activation, second factor, language."""

from allauth.account import views as account
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from tenants.identity import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/login/", views.sign_in, name="account_login"),
    path("accounts/logout/", account.logout, name="account_logout"),
    path("accounts/reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("accounts/password/", views.change_password, name="account_change_password"),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("activate/<str:uid>/<str:token>/", views.activate, name="activate"),
    path("language/", set_language, name="set_language"),
]
