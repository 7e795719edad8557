"""Seawall: free software that stops sextortion from working. See README.md for the tour of its rooms."""
