"""Limits that an order passes before anything is debited."""
