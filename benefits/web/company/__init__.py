"""The company console: HR and approvers."""
