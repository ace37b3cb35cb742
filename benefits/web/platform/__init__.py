"""The console of the platform's own people: desk, companies, money, deliveries, suppliers, cases, staff."""
