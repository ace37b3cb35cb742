"""The sealed journal: postings and audit events in one hash chain a company, with signed checkpoints."""
