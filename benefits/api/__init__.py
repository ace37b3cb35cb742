"""The doors that other systems use: supplier callbacks and, later, the open API."""
