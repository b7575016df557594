"""What the keys of a definition may hold: pydantic models, the JSON Schema made of them, and their errors in words.

It sees plain data. YAML is `frontmatter.py`; the Jinja in the texts is checked by `definition.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

from campaigns.errors import Problem, did_you_mean, shown
from campaigns.frontmatter import FIELD, FrontMatter
from campaigns.models import NETWORKS
from campaigns.moments import TIME, MomentError, read_day, read_moment
from campaigns.recurrence import RepeatError, check_repeat
from campaigns.schedule import MEMBER, zone_names

SECTIONS = ("audience", "newsletter", "feed", "social", "schedule", "relay")
"""Keys that hold keys."""
ALL = "all"
NO_IMAGE = "none"


def _refuse(message: str, hint: str) -> PydanticCustomError:
    # Message and hint are our own words already: pydantic must not look for {fields} in them.
    return PydanticCustomError("refused", "{message}", {"message": message, "hint": hint})


@dataclass(frozen=True, slots=True)
class _Shape:
    """Text of one line that matches `pattern` whole; in the JSON Schema too."""

    pattern: str
    message: str
    hint: str

    def check(self, text: str) -> str:
        if not re.fullmatch(self.pattern, text):
            raise _refuse(f"`{shown(text)}` {self.message}", self.hint)
        return text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(core) | {"pattern": f"^(?:{self.pattern})$"}


def _strip(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _moment(value: object) -> object:
    return _read(read_moment, value)


def _day(value: object) -> object:
    return _read(read_day, value)


def _read(read: Callable[[str], date], value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return read(value)
    except MomentError as error:
        raise _refuse(error.message, error.hint) from None


def _zone(name: str) -> str:
    if name == MEMBER or name in zone_names():
        return name
    otherwise = "write a name like `America/Chicago`, or `member` for each member's own zone"
    raise _refuse(f"there is no time zone `{shown(name)}`", did_you_mean(name, zone_names(), otherwise))


def _repeat(text: str) -> str:
    try:
        check_repeat(text)
    except RepeatError as error:
        raise _refuse(error.message, error.hint) from None
    return text


def _associations(value: object) -> object:
    if value == ALL:
        return [ALL]
    hint = "write `all`, or a list like [maine, vermont]"
    if isinstance(value, str):
        raise _refuse(f"`{shown(value)}` is not a list", hint)
    if isinstance(value, list) and ALL in value:
        raise _refuse("`all` stands among the names of a list", hint)
    if value == []:
        raise _refuse("the list is empty", hint)
    return value


_SLUG = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_SLUG_HINT = "write lower-case letters, digits and single hyphens, like opening-hours"
# RFC 5646 section 2.1, without grandfathered tags and private use alone.
_LANGUAGE = (
    r"[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?"
    r"(?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*(?:-[A-WY-Za-wy-z0-9](?:-[A-Za-z0-9]{2,8})+)*"
    r"(?:-[Xx](?:-[A-Za-z0-9]{1,8})+)?"
)

_Stripped = Annotated[str, BeforeValidator(_strip)]
Slug = Annotated[_Stripped, Field(max_length=64), _Shape(_SLUG, "is not a short name", _SLUG_HINT)]
Line = Annotated[
    _Stripped,
    Field(min_length=1, max_length=300),
    _Shape(r"[^\n]*", "has more than one line", "write it on one line"),
]
Short = Annotated[_Stripped, Field(min_length=1, max_length=1_000)]
Long = Annotated[_Stripped, Field(min_length=1, max_length=10_000)]
LANGUAGE_TAG = re.compile(_LANGUAGE)
"""A language tag as definitions know them; matched whole."""
Language = Annotated[
    _Stripped,
    Field(max_length=64),
    _Shape(_LANGUAGE, "is not a language tag", "write it like en, fr, pt-BR or zh-Hant, with hyphens"),
]
Zone = Annotated[_Stripped, AfterValidator(_zone)]
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "pattern": f"^{TIME}$", "examples": ["2027-02-01 09:00"]}),
]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Repeat = Annotated[_Stripped, Field(min_length=1, max_length=300), AfterValidator(_repeat)]
Associations = Annotated[
    list[Slug],
    BeforeValidator(_associations),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": ALL},
                {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": f"^(?:{_SLUG})$"}},
            ]
        }
    ),
]


class Section(BaseModel):
    """A mapping of the front matter. A key without value counts as left out; a section without keys as empty."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        filled = {key: {} if value is None and key in SECTIONS else value for key, value in data.items()}
        return {key: value for key, value in filled.items() if value is not None}


class AudienceSection(Section):
    topic: Slug | None = Field(None, description="Only subscribers of this topic; those of any when left out.")
    segment: Long | None = Field(None, description='A rule over members, like: sector = library and state != "HI".')


class NewsletterSection(Section):
    subject: Short = Field(description="Subject of the mail; may hold {{ member.first_name or 'Colleague' }}.")
    preview: Short | None = Field(None, description="What mail programs show beside the subject.")
    template: Slug = Field("announcement", description="Name of the template.")
    slots: dict[str, Short] = Field({}, max_length=50, description="Values that the template asks for, by name.")
    ignore_cap: bool = Field(
        False, description="true: also to members who had as many newsletters lately as the settings allow."
    )
    doubt: Literal["resend", "hold"] | None = Field(
        None,
        description="A mail that may have arrived: resend it under the same Message-ID, or hold it for a person to "
        "decide; else as the settings say.",
    )
    attachments: list[Line] = Field(
        [], max_length=10, description="Files of the media folder that go with each mail, such as programme.pdf."
    )
    inline_images: bool = Field(
        False, description="true: images of the media folder go with each mail, in place of links to them."
    )


class FeedSection(Section):
    summary: Long | None = Field(None, description="One or two sentences for feed readers.")


class SocialSection(Section):
    x: Long | None = Field(None, description="Post on X; {{ url }} becomes the campaign's address.")
    mastodon: Long | None = Field(None, description="Post on Mastodon.")
    bluesky: Long | None = Field(None, description="Post on Bluesky.")
    linkedin: Long | None = Field(None, description="Post on LinkedIn.")
    networks: list[Literal[NETWORKS]] = Field(  # type: ignore[valid-type]
        [], max_length=len(NETWORKS), description="Networks whose post is made of title, summary and address."
    )
    image: Line | None = Field(None, description="Image for the posts; none for no image, else the first of the text.")
    image_alt: Short | None = Field(None, description="What the image shows, for those who can not see it.")
    image_decorative: bool = Field(False, description="The image tells nothing that the text does not.")
    warning: Line | None = Field(None, description="What readers on Mastodon see before they open the post.")
    x_without_link: bool = Field(False, description="Leave {{ url }} out of the post on X: it costs less.")

    @model_validator(mode="after")
    def _not_empty(self) -> SocialSection:
        if not (self.networks or self.model_fields_set.intersection(NETWORKS)):
            raise _refuse("no network is named", f"write a post for one of: {', '.join(NETWORKS)}")
        return self

    @model_validator(mode="after")
    def _image_is_described(self) -> SocialSection:
        if self.image not in (None, NO_IMAGE) and not (self.image_alt or self.image_decorative):
            hint = "write `image_alt:` with what it shows, or `image_decorative: true`"
            raise _refuse("the image is not described", hint)
        return self

    def texts(self) -> dict[str, str]:
        """Network -> text; empty where it is to be made."""
        own: dict[str, str] = {name: text for name in NETWORKS if (text := getattr(self, name)) is not None}
        return {**own, **{name: "" for name in self.networks if name not in own}}


class ScheduleSection(Section):
    at: Moment = Field(description="Day and time by the clock on the wall, like 2027-02-01 09:00.")
    timezone: Zone = Field(description="IANA time zone, or member for each member's own.")
    repeat: Repeat | None = Field(
        None,
        description="Again and again from then on: daily, weekdays, weekly, every two weeks, monthly, or a rule of "
        "RFC 5545 such as FREQ=MONTHLY;BYDAY=1TU.",
    )


class RelaySection(Section):
    associations: Associations | None = Field(None, description="Who may pass the campaign on: all, or a list.")
    kinds: list[Slug] = Field([], max_length=50, description="Associations of these kinds, such as library or museum.")
    respond_by: Day | None = Field(None, description="Last day to accept or decline, like 2027-01-25.")
    not_before: Day | None = Field(None, description="Embargo: no association sends it before that day.")
    not_after: Day | None = Field(None, description="Last day on which an association may send it.")
    topics: list[Slug] = Field([], max_length=50, description="What it is about, for those who accept that unasked.")

    @model_validator(mode="after")
    def _has_someone_and_days(self) -> RelaySection:
        if not self.associations and not self.kinds:
            raise _refuse("nobody is named", "write `associations: all`, a list of them, or `kinds:`")
        if self.not_before and self.not_after and self.not_after < self.not_before:
            raise _refuse("the last day to send is before the first", "swap `not_before` and `not_after`")
        return self


class Definition(Section):
    """The whole front matter."""

    model_config = ConfigDict(title="Campaign definition")

    campaign: Slug = Field(description="Id of the campaign, unique in the workspace; never changed after sending.")
    title: Line = Field(description="Title of the web page and the feed entry.")
    language: Language = Field(description="Language of the text as a BCP 47 tag, like en or pt-BR.")
    association: Slug | None = Field(None, description="Who sends; the host when left out.")
    audience: AudienceSection = Field(AudienceSection(), description="Whom the newsletter is for.")
    newsletter: NewsletterSection | None = Field(None, description="Send it as a newsletter.")
    feed: FeedSection | None = Field(None, description="Publish it in the feeds.")
    social: SocialSection | None = Field(None, description="Post it on social networks.")
    schedule: ScheduleSection | None = Field(None, description="When it goes out.")
    relay: RelaySection | None = Field(None, description="Offer it to other associations.")
    tags: list[Line] = Field([], max_length=50, description="Words to find it by.")


class VariantNewsletterSection(Section):
    subject: Short | None = Field(None, description="Subject of the mail in this language.")
    preview: Short | None = Field(None, description="What mail programs show beside it.")
    slots: dict[str, Short] = Field({}, max_length=50, description="Those values that differ, by name.")
    attachments: list[Line] | None = Field(
        None, max_length=10, description="The files in this language, in place of the campaign's."
    )


class VariantDefinition(Section):
    """The front matter of a variant: what it says in its own language. All else is the campaign's."""

    campaign: Slug | None = Field(None, description="The campaign's own id, or left out.")
    language: Language | None = Field(None, description="The tag in the file's name, or left out.")
    title: Line | None = Field(None, description="Title in this language.")
    newsletter: VariantNewsletterSection = Field(VariantNewsletterSection(), description="What differs in the mail.")
    feed: FeedSection = Field(FeedSection(), description="Summary in this language.")
    social: SocialSection | None = Field(None, description="Posts in this language.")


_Model = TypeVar("_Model", Definition, VariantDefinition)


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the front matter, for completion and checking in editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Definition.model_json_schema()}


def validate(front: FrontMatter, model: type[_Model]) -> tuple[_Model | None, list[Problem]]:
    """The front matter as a model, or every problem with its keys and values."""
    try:
        return model.model_validate(front.data), []
    except ValidationError as error:
        return None, [_problem(details, front, model) for details in error.errors(include_url=False)]


def _problem(details: ErrorDetails, front: FrontMatter, model: type[Section]) -> Problem:
    path = ".".join(str(part) for part in details["loc"])
    field = ".".join(str(part) for part in details["loc"] if isinstance(part, str))
    message, hint = _words(details, path in front.key_lines, model)
    return Problem(front.line(path), field or FIELD, message, hint)


def _words(details: ErrorDetails, present: bool, model: type[Section]) -> tuple[str, str]:
    context: Mapping[str, Any] = details.get("ctx", {})
    value = details["input"]
    match details["type"]:
        case "refused":
            return context["message"], context["hint"]
        case "extra_forbidden":
            *around, name = (str(part) for part in details["loc"])
            if model is VariantDefinition and name in _keys(around, Definition):
                return "the key stands in the campaign's own file alone", "remove it here: it holds for every language"
            known = _keys(around, model)
            return "there is no such key", did_you_mean(name, known, f"there are: {', '.join(known)}")
        case "missing":
            name = str(details["loc"][-1])
            return ("the key has no value", "write it after the colon") if present else _MISSING.get(name, _ANY_MISSING)
        case "string_too_short" | "too_short":
            return "the text is empty", "write it, or remove the key"
        case "string_too_long" | "too_long":
            return f"{len(value):,} characters or entries are too many", f"at most {context['max_length']:,}"
        case "string_type" if isinstance(value, bool):
            return f"`{str(value).lower()}` means yes or no here, not a word", "put it in quotes"
        case "string_type" | "datetime_type" | "date_type":
            return (
                f"{_kind(value)} where one text is wanted",
                "write a text; put it in quotes if it begins with { or [",
            )
        case "bool_type":
            return f"{_kind(value)} where yes or no is wanted", "write true or false"
        case "list_type":
            return f"{_kind(value)} where a list is wanted", "write it like [libraries, archives]"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"{_kind(value)} where keys are wanted", "write the keys below it, indented by two spaces"
    return details["msg"], ""


_ANY_MISSING = ("the key is missing", "add it")
_MISSING = {
    "campaign": ("the key is missing", "give the campaign an id, like `campaign: opening-hours`"),
    "language": ("the key is missing", "say in which language the text is, like `language: en`"),
    "timezone": ("the key is missing", "name a zone like `America/Chicago`, or `member`"),
}


def _kind(value: object) -> str:
    names: Mapping[type, str] = {dict: "keys", list: "a list", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a text")


def _keys(around: list[str], whole: type[Section]) -> tuple[str, ...]:
    """Keys allowed in the section at this path."""
    in_variant = whole is VariantDefinition
    sections: Mapping[str, type[Section]] = {
        "audience": AudienceSection,
        "newsletter": VariantNewsletterSection if in_variant else NewsletterSection,
        "feed": FeedSection,
        "social": SocialSection,
        "schedule": ScheduleSection,
        "relay": RelaySection,
    }
    model = sections[around[0]] if around else whole
    return tuple(model.model_fields)
