"""Sheets: pictures to look at beside figures."""
