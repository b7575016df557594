"""How much of a feed is taken. Apart from `child.py`, so that nobody loads a parser to know it."""

MAX_ITEMS = 200
MAX_LINE = 2_000
"""Characters of a title, an address, an identity."""
MAX_MARKUP = 20_000
