"""Accounts, postings, lots, budgets and grants; ledger.py is the only writer of value."""
