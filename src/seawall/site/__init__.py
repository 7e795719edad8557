"""The frame around every page: layout, exit, headers, errors, languages.

Knows no room, stores nothing, sets no cookie.
"""
