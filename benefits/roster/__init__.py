"""Roster imports: read, recognise, normalise, check, plan, apply."""
