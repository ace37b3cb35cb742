"""A company's money at the platform: deposits, credit line and what was drawn from them."""
