"""Benefit kinds: which account a kind needs, how to clean it and how to describe it."""
