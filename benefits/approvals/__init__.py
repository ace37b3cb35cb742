"""Second signatures: what a person may not do alone waits for another one, who approves or refuses it."""
