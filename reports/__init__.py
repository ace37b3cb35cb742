"""Documents and figures: a registry of reports and the writers that print them."""
