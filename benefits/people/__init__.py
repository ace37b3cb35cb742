"""Employees and departments of one company."""
