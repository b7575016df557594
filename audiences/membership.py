"""Which words of a membership's status say that it holds now. Reads no list and no database."""

from __future__ import annotations

CURRENT_STATUSES = frozenset("active current new grace graced pendingrenewal pendingupgrade pendinglevelchange".split())
"""As Wild Apricot, CiviCRM and MemberClicks name them; in small letters, without spaces, underscores, hyphens."""
