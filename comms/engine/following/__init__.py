"""Offers of other engines: read from their signed feeds, answered from here.

feeds    which feeds are followed, under which keys, and reading those that are due
taking   what a feed says -> offers, corrections and recalls of this workspace
telling  where this workspace stands with them -> signed answers, told until they are taken
beside   both, all the time, in a thread of its own
"""
