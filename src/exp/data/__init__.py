"""Rows and labels: data sets, splits, tables from files, and how text and gaps become numbers."""
