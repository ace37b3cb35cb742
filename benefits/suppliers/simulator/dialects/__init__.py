"""One module a dialect: its routes, its envelope, its callbacks."""
