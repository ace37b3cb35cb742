"""The reports that finance can look at and take away. A new one is a module with a REPORT, and a line here."""

from reports import deliveries, departments, employees, funds, grants

REPORTS = {
    module.REPORT.slug: module.REPORT for module in (deliveries, employees, departments, grants, funds)
}
