"""People who sign in: users, their roles and the record of what they did."""
