"""The employee's portal."""
