"""Doors through which returned mail comes in. Each keeps what it gets on the disk, and answers for it only then."""
