"""Offers of other engines: read from their signed feeds, answered from here.

feeds    which feeds are followed, under which keys, and reading those that are due
asking   in whose name engines are asked
taking   what a feed says -> offers, corrections and recalls of this workspace
fetching the files that go with offers, all of them or none
telling  where this workspace stands with them -> signed answers, told until they are taken
beside   both, all the time, in a thread of its own
"""
