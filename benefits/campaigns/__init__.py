"""Grants by rule: who gets points on which occasion, rehearsed to the row before anything moves, then handed out."""
