"""Ways to write a table: workbook, CSV, PDF."""
