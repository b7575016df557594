"""Which feeds of other engines are followed, under which keys, and reading those that are due.

The key is trusted on first use: a person compares its name, and from then on only that key, and those that it vouches
for, can offer anything. Once a new key has signed, the one before is not believed any more.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from audiences.attributes import clean_text
from campaigns.follows import FollowedRow, FollowRow, FollowStore
from comms.channels.markup import absolute_url
from comms.db import storage_errors
from comms.engine.following import taking
from comms.engine.following.asking import headers
from comms.engine.following.fetching import Fetching
from comms.engine.workspace import SLUG, Workspace
from comms.errors import StateError, UsageError
from comms.kits import offer_feed
from comms.kits.offer_feed import ReadFeed
from comms.kits.signing import PublicKey, SignatureError, read_keys
from comms.reading import manners
from comms.reading.engines import Engines, keys_url
from comms.reading.fetch import Answer, Validators

EVERY = timedelta(minutes=5)
"""Between two looks at a feed: as long as engines say that theirs may be kept. Mostly the answer is that nothing is
new; and a recall should not wait for long."""
LONGEST = timedelta(hours=1)
"""Between two tries of one that fails."""
_LONGEST_NAME = 20
_LONGEST_AUTHOR = 200
_PATH = re.compile(r"/relay/[a-z0-9-]{1,64}/feed\.json\Z")


@dataclass(frozen=True, slots=True)
class Found:
    """An engine that may be followed, before anybody has said that it is the right one."""

    url: str
    author: str
    """Name of who offers, as the feed says."""
    remote: str
    """Whom it offers to, by its slug there."""
    key: PublicKey
    """It signs with this one; its name is for people to compare."""
    confirmed: bool
    """Was the key given by name."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of one feed: not due (`asked` is False), a fault, or these offers."""

    follow: FollowRow
    asked: bool
    offers: tuple[FollowedRow, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.follow.name,
            "url": self.follow.url,
            "author": self.follow.author,
            "association": self.follow.association,
            "passes_on": self.follow.passes_on,
            "key": PublicKey(bytes.fromhex(self.follow.key)).name,
            "read_at": self.follow.read_at.isoformat() if self.follow.read_at else None,
            "fault": self.follow.fault,
            "offers": [
                {
                    "campaign": row.campaign,
                    "version": row.version,
                    "fault": row.fault,
                    "told": row.taken and bool(row.answer),
                    "refusal": row.refusal,
                }
                for row in self.offers
            ],
        }


def engines(workspace: Workspace) -> Engines:
    """Asks in the name of this installation."""
    return Engines(workspace.settings.site.url, workspace.settings.relay.trusted_hosts)


def look(workspace: Workspace, url: str, *, key: str = "", by: Engines | None = None) -> Found:
    """What there is to follow at an address; changes nothing here.

    `key` names the key that it should have, by its name or in full. Raises UsageError for what is no such address, and
    for another key; StateError when there is no signed feed.
    """
    address = _address(workspace, url)
    by = by or engines(workspace)
    listed = read_keys(_body(by.get(keys_url(address)), "its keys"))
    if not listed:
        raise StateError("that engine has no keys.", hint="Ask whose it is.")
    if key:
        known = next((each for each in listed.values() if key.strip().lower() in (each.name, each.raw.hex())), None)
        if known is None:
            raise UsageError(
                f"that engine does not have the key {key[:70]!r}.", hint="Ask whose it is: comms relay keys, there."
            )
        listed = read_keys(_body(by.get(keys_url(address)), "its keys"), {known.name: known})
    signing = list(listed.values())[-1]
    feed = offer_feed.read_json(_body(by.get(address), "its feed"), {signing.name: signing})
    if not SLUG.fullmatch(feed.association):
        raise StateError("its feed does not say whom it is for.", hint="Ask whose it is.")
    return Found(address, _author(feed), feed.association, signing, bool(key))


def follow(
    workspace: Workspace, found: Found, association: str, *, name: str = "", passes_on: bool = False, who: str
) -> FollowRow:
    """Take the offers of an engine from now on, for an association of this workspace; what is offered comes with the
    next reading. `passes_on`: for all others of it, too.

    Raises UsageError for an association that there is not, a name that can not be one, and what is followed already.
    """
    slug, store = workspace.association(association).slug, FollowStore(workspace.host.db)
    name = name or _name_of(found.author)
    if not SLUG.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise UsageError(
            f"{name[:70]!r} can not be the name of an engine.",
            hint=f"--name with small letters, digits and hyphens, at most {_LONGEST_NAME}.",
        )
    row = FollowRow(
        0, name, found.url, found.author, slug, found.remote, passes_on, found.key.raw.hex(), "", "", None, None, 0,
        "", workspace.now(),
    )  # fmt: skip
    with storage_errors(workspace.host_path), workspace.host.db.atomic():
        if store.follow(found.url) is not None:
            raise UsageError(f"that feed is followed already: {found.url}.", hint="See: comms relay follow.")
        if store.follow(name) is not None:
            raise UsageError(f"another engine is called {name!r} here.", hint="Give it another: --name.")
        store.add(row)
        workspace.host.note(who, "relay followed", None, f"{name}: {found.key.name}", workspace.now())
    return find(workspace, name)


def unfollow(workspace: Workspace, name: str, *, who: str) -> FollowRow:
    """Take no offers of an engine any more, and tell it nothing. What was taken stays. Raises UsageError."""
    row = find(workspace, name)
    with storage_errors(workspace.host_path), workspace.host.db.atomic():
        FollowStore(workspace.host.db).remove(row.id)
        workspace.host.note(who, "relay unfollowed", None, row.name, workspace.now())
    return row


def find(workspace: Workspace, name: str) -> FollowRow:
    """One by its name or address. Raises UsageError when there is none."""
    row = FollowStore(workspace.host.db).follow(name)
    if row is None:
        known = ", ".join(each.name for each in FollowStore(workspace.host.db).follows())
        raise UsageError(
            f"no engine {name!r} is followed.", hint=f"Followed are: {known}." if known else "See: comms relay follow."
        )
    return row


def standing(workspace: Workspace) -> list[Reading]:
    """Every feed that is followed, and its offers. Asks nobody."""
    store = FollowStore(workspace.host.db)
    return [Reading(row, False, tuple(store.followed(row.url))) for row in store.follows()]


def read(
    workspace: Workspace,
    *,
    at_once: bool = False,
    by: Engines | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> list[Reading]:
    """Ask every engine whose feed is due, or all of them `at_once`, and take what is new."""
    by, store, found = by or engines(workspace), FollowStore(workspace.host.db), list[Reading]()
    for row in store.follows():
        if stopped():
            break
        now = workspace.now()
        with storage_errors(workspace.host_path), workspace.host.db.atomic():
            claimed = store.claim(row.id, now, now + EVERY, at_once=at_once)
        after = _asked(workspace, row, by, stopped) if claimed else row
        found.append(Reading(after, claimed, tuple(store.followed(row.url))))
    return found


# --- parts ------------------------------------------------------------------------------------


def _asked(workspace: Workspace, row: FollowRow, by: Engines, stopped: Callable[[], bool] = lambda: False) -> FollowRow:
    known = Validators(row.etag, row.last_modified)
    answer, now = by.get(row.url, known, headers(workspace, row)), workspace.now()
    if answer.status == 304:
        after = replace(row, next_at=now + EVERY, read_at=now, failures=0, fault="")
    elif answer.status != 200:
        after = _failed(row, answer.fault or f"it answers with status {answer.status}", answer, now)
    else:
        try:
            feed, key = _opened(row, answer.body, by)
        except SignatureError as error:
            after = _failed(row, error.message, answer, now)
        else:
            # A clock that is ahead there, now and then, must not keep us from what comes later.
            changed_at = min(feed.updated, now) if feed.updated else None
            row = replace(row, author=_author(feed), key=key.raw.hex(), changed_at=changed_at or row.changed_at)
            offers = taking.take(workspace, row, feed.offers, Fetching(workspace, row, by, stopped))
            # What could not be used is asked for once more: there may be something here then that was missing.
            etag = "" if any(each.fault for each in offers) else answer.validators.etag
            after = replace(row, etag=etag, last_modified="", next_at=now + EVERY, read_at=now, failures=0, fault="")
    with storage_errors(workspace.host_path), workspace.host.db.atomic():
        FollowStore(workspace.host.db).save(after)
    return after


def _opened(row: FollowRow, body: bytes, by: Engines) -> tuple[ReadFeed, PublicKey]:
    """The feed, and the key that signed it: the one that is known, or one that it vouches for. Raises
    SignatureError."""
    known = PublicKey(bytes.fromhex(row.key))
    try:
        feed, key = offer_feed.read_json(body, {known.name: known}), known
    except SignatureError:
        answer = by.get(keys_url(row.url))
        if answer.status != 200:
            raise
        trusted = read_keys(answer.body, {known.name: known})
        key = list(trusted.values())[-1]
        if key == known:
            raise
        feed = offer_feed.read_json(body, {key.name: key})
    if feed.association != row.remote:
        raise SignatureError("it is the feed of another association.")
    if row.changed_at is not None and (feed.updated is None or feed.updated < row.changed_at.replace(microsecond=0)):
        raise SignatureError(
            f"it is older than the copy that was read before, of {row.changed_at:%Y-%m-%d %H:%M} UTC: somebody keeps"
            " the new one back, or that engine was restored from a backup and has not changed anything since."
        )
    return feed, key


def _failed(row: FollowRow, fault: str, answer: Answer, now: datetime) -> FollowRow:
    """Tried again later, and later each time. The copy that we have is no more good for a comparison."""
    failures = row.failures + 1
    wait = min(EVERY * 2 ** min(failures - 1, 8), LONGEST)
    next_at = now + max(wait, manners.retry_after(answer, now))
    return replace(row, etag="", last_modified="", next_at=next_at, failures=failures, fault=fault)


def _body(answer: Answer, what: str) -> bytes:
    if answer.status == 200:
        return answer.body
    fault = answer.fault or f"it answers with status {answer.status}"
    hint = "For an engine that is not on the public internet: [relay] trusted_hosts in comms.toml."
    raise StateError(f"{what} can not be read: {fault}.", hint=hint if "public" in fault else "Check the address.")


def _author(feed: ReadFeed) -> str:
    return clean_text(feed.author)[:_LONGEST_AUTHOR] or "another engine"


def _address(workspace: Workspace, url: str) -> str:
    address = absolute_url(url.strip(), "")
    if address is None or not _PATH.search(address) or len(address) > 500 or "@" in address:
        raise UsageError(
            f"{clean_text(url)[:200]!r} is no address of a feed of offers.",
            hint="It ends like /relay/maine/feed.json; ask those who offer.",
        )
    if address.startswith(f"{workspace.settings.site.url}/relay/"):
        raise UsageError("that is a feed of this very workspace.", hint="Follow the engine of somebody else.")
    return address


def _name_of(author: str) -> str:
    plain = unicodedata.normalize("NFKD", author).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return words[:_LONGEST_NAME].strip("-") or "engine"
