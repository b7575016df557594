"""What readers answer to the polls in their mail. Makes no page; a token that is not ours gets None."""

from __future__ import annotations

from dataclasses import dataclass

from campaigns.models import Campaign, Poll
from comms.db import storage_errors
from comms.engagement.polls import Ballots
from comms.engine import tokens
from comms.engine.sending import find, read_back
from comms.engine.tokens import Copy
from comms.engine.variants import of_channel
from comms.engine.workspace import Workspace
from comms.rendering.body import numbered_polls


@dataclass(frozen=True, slots=True)
class PollView:
    """A poll as one reader sees it."""

    association: str
    language: str
    question: str
    answers: tuple[str, ...]
    chosen: int | None
    """Index of the answer that counts for this reader now."""
    open: bool
    """Can it be answered by this link: not by one that everybody has, and not for ever."""


def view(workspace: Workspace, token: str, number: int) -> PollView | None:
    """Poll `number` of the newsletter that the token belongs to. Counts nothing."""
    found = _find(workspace, token, number)
    return _view(workspace, *found, number) if found else None


def answer(workspace: Workspace, token: str, number: int, choice: int) -> PollView | None:
    """Count an answer in place of the reader's last one; None for an answer that the poll does not have.

    What can not be counted, because the poll is closed or the link is everybody's, changes nothing. Raises
    StorageError.
    """
    found = _find(workspace, token, number)
    if found is None or not 0 <= choice < len(found[1].answers):
        return None
    copy, _ = found
    db = workspace.association_db(copy.association.slug)
    if copy.delivery is not None:
        with storage_errors(workspace.association_path(copy.association.slug)), db.atomic():
            Ballots(db).answer(copy.run.id, number, copy.delivery, choice)
    return _view(workspace, *found, number)


def _find(workspace: Workspace, token: str, number: int) -> tuple[Copy, Poll] | None:
    copy = tokens.read(workspace, token)
    if copy is None:
        return None
    campaign = _campaign(workspace, copy)
    poll = next((each for each, at in numbered_polls(campaign.blocks).items() if at == number), None)
    return (copy, poll) if poll else None


def _campaign(workspace: Workspace, copy: Copy) -> Campaign:
    """In the language of the copy."""
    return of_channel(read_back(find(workspace, copy.run.campaign)), copy.run.channel)


def _view(workspace: Workspace, copy: Copy, poll: Poll, number: int) -> PollView:
    ballots = Ballots(workspace.association_db(copy.association.slug))
    delivery = copy.delivery
    return PollView(
        association=copy.association.name,
        language=_campaign(workspace, copy).language,
        question=poll.question,
        answers=poll.answers,
        chosen=None if delivery is None else ballots.choice(copy.run.id, number, delivery),
        open=delivery is not None and not ballots.is_closed(copy.run.id),
    )
