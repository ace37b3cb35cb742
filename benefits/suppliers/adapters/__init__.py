"""One module a supplier dialect."""
