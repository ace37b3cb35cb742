"""Wagtail pages of each company's portal. Looks, does not touch."""
