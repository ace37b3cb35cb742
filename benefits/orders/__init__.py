"""Orders and items: redeem, settle, refund."""
