"""The doors that workers use: one call each, ids as keyword arguments, the schema in the header."""
