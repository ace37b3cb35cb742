"""Addresses that machines call on the platform's host."""

from django.urls import path

from benefits.api import callbacks

urlpatterns = [path("<slug:slug>/", callbacks.receive, name="supplier_callback")]
