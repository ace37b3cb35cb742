"""The floor: who is asking, and in which company. Everything may stand on it."""
