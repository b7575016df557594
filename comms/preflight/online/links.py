"""What the answers of web addresses mean for the links of a campaign. It asks nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from campaigns.errors import shown
from comms.outside.exchange import Outcome
from comms.preflight import hosts
from comms.preflight.facts import Facts
from comms.preflight.online.web import Answer
from comms.preflight.passages import Place, links
from comms.preflight.report import Finding, must, should

DEAD = must(
    "online-link-dead",
    "a page that is gone (404, 410), or a site that does not exist",
    "Every reader who follows it gets an error.",
)
FAILING = should(
    "online-link-failing",
    "a site that does not answer, answers with an error, or has no valid certificate",
    "If it lasts, readers who follow it get an error or a warning.",
)
UNSEEN = should(
    "online-link-unseen",
    "a page that could not be seen from here (401, 403, 429), or that is not asked for, being no public one",
    "Many sites turn programs away: only a person can tell whether the page is there.",
)
RULES = (DEAD, FAILING, UNSEEN)

_TURNED_AWAY = frozenset({401, 403, 407, 429, 451, 999})
_WORDS = {
    Outcome.NO_CONNECTION: "takes no connection",
    Outcome.NO_ANSWER: "does not answer in time",
    Outcome.BAD_CERTIFICATE: "has no valid certificate",
    Outcome.CIRCLES: "sends its visitors round in circles",
    Outcome.NONSENSE: "does not answer as web sites do",
}


def askable(facts: Facts) -> list[str]:
    """The addresses that can be asked: on the public web, the same for every reader, and not our own site's."""
    return list(dict.fromkeys(place.url for place in _places(facts)))


def find(facts: Facts, answers: Mapping[str, Answer]) -> Iterator[Finding]:
    """Findings on the links whose answers are given."""
    # Where not one address answers, it is us who are not connected.
    connected = any(answer.status for answer in answers.values())
    for place in _places(facts):
        if (answer := answers.get(place.url)) is not None:
            yield from _of_link(place, answer, connected)


def _of_link(place: Place, answer: Answer, connected: bool) -> Iterator[Finding]:
    named, host = f"`{shown(place.url)}`", f"`{shown(hosts.host_of(place.url))}`"
    line, field = place.line, place.field
    match answer.outcome, answer.status:
        case Outcome.ANSWERED, 404 | 410:
            yield DEAD.at(line, field, f"{named} is not there ({answer.status})", "correct the address, or take it out")
        case Outcome.ANSWERED, status if status in _TURNED_AWAY:
            yield UNSEEN.at(line, field, f"{named} could not be seen ({status})", "open it in a browser")
        case Outcome.ANSWERED, status if status >= 400:
            yield FAILING.at(
                line, field, f"{named} answers with an error ({status})", "try again later, or ask its owner"
            )
        case Outcome.ANSWERED, _:
            return
        case Outcome.UNKNOWN_HOST, _ if connected:
            yield DEAD.at(line, field, f"there is no site {host}", "look for a slip in its name")
        case Outcome.UNKNOWN_HOST, _:
            yield UNSEEN.at(
                line, field, f"{host} was not found, nor any other site", "connect this machine, and try again"
            )
        case Outcome.NOT_PUBLIC, _:
            yield UNSEEN.at(
                line, field, f"{named} leads into a private network and was not asked", "link to a public page"
            )
        case outcome, _:
            detail = f" ({answer.detail})" if answer.detail else ""
            yield FAILING.at(line, field, f"{host} {_WORDS[outcome]}{detail}", "try again later, or ask its owner")


def _places(facts: Facts) -> Iterator[Place]:
    site = hosts.host_of(facts.site_url)
    for place in links(facts.campaign):
        host = hosts.host_of(place.url)
        on_the_web = place.url.lower().startswith(("http:", "https:")) and "{{" not in place.url
        # What can be told from the name alone is told already.
        if on_the_web and host not in ("", site) and not (hosts.is_reserved(host) or hosts.is_unfinished(host)):
            yield place
