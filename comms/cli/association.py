"""`comms association`: add, change, list."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated, Any

import typer

from audiences.models import Association, Brand, Frequency, Topic
from comms.cli.output import JsonFlag, open_workspace, print_json, say, table
from comms.cli.welcome import show as show_welcome

app = typer.Typer(no_args_is_help=True, help="The associations of this workspace; each has a database of its own.")
app.command("welcome")(show_welcome)

Name = Annotated[str | None, typer.Option(help="Its full name, as readers know it.")]
From = Annotated[str | None, typer.Option("--from", metavar="ADDRESS", help="Address that its newsletters come from.")]
Postal = Annotated[str | None, typer.Option(help="Postal address; the law wants it in every newsletter.")]
SenderName = Annotated[str | None, typer.Option(help="Name beside the From address; its own name when left out.")]
ReplyTo = Annotated[str | None, typer.Option(help="Where replies go; the From address when left out.")]
Homepage = Annotated[str | None, typer.Option(help="Web address.")]
Language = Annotated[str | None, typer.Option(help="Language tag, such as en or es-MX.")]
Timezone = Annotated[str | None, typer.Option(help="IANA zone, such as America/Denver.")]
SendWindow = Annotated[
    str | None,
    typer.Option(
        metavar="HOURS",
        help="When in the week its newsletters leave, by its own clock, such as `Mon-Fri 08:00-18:00`.",
    ),
]
Accent = Annotated[str | None, typer.Option(metavar="#RRGGBB", help="Accent colour of its newsletters.")]
Background = Annotated[str | None, typer.Option(metavar="#RRGGBB", help="Background colour of its newsletters.")]
LogoUrl = Annotated[str | None, typer.Option(help="Web address of its logo.")]
Typeface = Annotated[str | None, typer.Option(help="Letters of its newsletters: mixed, sans or serif.")]
Footer = Annotated[str | None, typer.Option(help="A line at the foot of its mails, such as a charity number.")]

Kind = Annotated[
    str | None, typer.Option(metavar="WORD", help="What its members are: library, archive, museum or another word.")
]
Region = Annotated[str | None, typer.Option(metavar="PLACE", help="Where they are, such as the state: US-ME.")]


@app.command()
def add(
    slug: Annotated[str, typer.Argument(help="Short name for commands and addresses: small letters, digits, hyphens.")],
    name: Annotated[str, typer.Option(help="Its full name, as readers know it.")],
    sender: Annotated[str, typer.Option("--from", metavar="ADDRESS", help="Address that its newsletters come from.")],
    postal_address: Annotated[str, typer.Option(help="Postal address; the law wants it in every newsletter.")],
    sender_name: SenderName = None,
    reply_to: ReplyTo = None,
    homepage: Homepage = None,
    language: Language = None,
    timezone: Timezone = None,
    send_window: SendWindow = None,
    accent: Accent = None,
    background: Background = None,
    logo_url: LogoUrl = None,
    typeface: Typeface = None,
    footer: Footer = None,
    kind: Kind = None,
    region: Region = None,
    as_json: JsonFlag = False,
) -> None:
    """Add an association, with an empty database of its own."""
    blank = Association(slug, "", "", "")
    association = _changed(
        blank, name=name, sender_address=sender, postal_address=postal_address, sender_name=sender_name,
        reply_to=reply_to, homepage=homepage, language=language, timezone=timezone, send_window=send_window,
        accent=accent, background=background, logo_url=logo_url, typeface=typeface, footer=footer,
        kind=kind, region=region,
    )  # fmt: skip
    with open_workspace() as workspace:
        association = workspace.add_association(association)
    if as_json:
        print_json(asdict(association))
    else:
        say(f"Added {slug}. Next: comms members import FILE --association {slug}")


@app.command()
def edit(
    slug: Annotated[str, typer.Argument(help="Which association.")],
    name: Name = None,
    sender: From = None,
    postal_address: Postal = None,
    sender_name: SenderName = None,
    reply_to: ReplyTo = None,
    homepage: Homepage = None,
    language: Language = None,
    timezone: Timezone = None,
    send_window: SendWindow = None,
    accent: Accent = None,
    background: Background = None,
    logo_url: LogoUrl = None,
    typeface: Typeface = None,
    footer: Footer = None,
    kind: Kind = None,
    region: Region = None,
    as_json: JsonFlag = False,
) -> None:
    """Change what is given; the rest stays."""
    with open_workspace() as workspace:
        association = _changed(
            workspace.association(slug), name=name, sender_address=sender, postal_address=postal_address,
            sender_name=sender_name, reply_to=reply_to, homepage=homepage, language=language, timezone=timezone,
            send_window=send_window, accent=accent, background=background, logo_url=logo_url,
            typeface=typeface, footer=footer, kind=kind, region=region,
        )  # fmt: skip
        association = workspace.change_association(association)
    if as_json:
        print_json(asdict(association))
    else:
        say(f"Changed {slug}. Campaigns already approved go out as they were.")


@app.command()
def topic(
    slug: Annotated[str, typer.Argument(help="Which association.")],
    topic_slug: Annotated[str, typer.Argument(metavar="TOPIC", help="Short name: small letters, digits, hyphens.")],
    title: Annotated[str, typer.Option(help="Its name, as members read it.")],
    frequency: Annotated[
        Frequency | None, typer.Option(help="How often, at most, its newsletters go to who chose nothing else.")
    ] = None,
) -> None:
    """Add or retitle a topic that members can choose and feeds can carry."""
    with open_workspace() as workspace:
        known = {known.slug: known.frequency for known in workspace.people(slug).topics()}
        often = frequency or known.get(topic_slug, Frequency.EACH)
        workspace.add_topic(slug, Topic(topic_slug, title, often))
    say(f"{slug} has the topic {topic_slug}.")


@app.command("list")
def list_(as_json: JsonFlag = False) -> None:
    """List the associations, the host first."""
    with open_workspace() as workspace:
        found = [(association, workspace.people(association.slug).count()) for association in workspace.associations()]
    if as_json:
        print_json([{**asdict(association), "members": members} for association, members in found])
        return
    rows = [[a.slug, a.name, a.sender_address, f"{members:,}"] for a, members in found]
    table("", ["slug", "name", "from", "members"], rows, right=(3,))


def _changed(association: Association, **values: str | None) -> Association:
    given = {name: value for name, value in values.items() if value is not None}
    names = ("accent", "background", "logo_url", "typeface", "footer")
    looks = {name: given.pop(name) for name in names if name in given}
    brand: Brand = replace(association.brand, **looks)
    texts: dict[str, Any] = dict(given)
    return replace(association, **texts, brand=brand)
