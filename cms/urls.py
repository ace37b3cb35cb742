"""The home page and its pictures. Wagtail's own addresses are mounted after the portal's."""

from django.urls import path

from cms import views

urlpatterns = [
    path("", views.home, name="home"),
    path("media/<slug:schema>/<path:name>", views.picture, name="cms_picture"),
]
