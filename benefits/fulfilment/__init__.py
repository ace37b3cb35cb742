"""Deliveries: routed, sent in batches, asked after until known, settled once."""
