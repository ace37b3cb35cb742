"""Invoices: issued once a month, numbered without gaps, never changed."""
