"""Limits that an order passes before anything is debited. `orders_redeem` checks them, in the call that debits."""
