"""What employees can redeem: categories, products, SKUs, bundles and their tax."""
