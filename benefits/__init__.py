"""The mall: one room, one Django app, one purpose."""
