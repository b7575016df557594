"""Asking servers that somebody's text names, and only those that anyone may ask."""
