"""The doors that people use in a browser."""
