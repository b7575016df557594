"""The words of one language: translations with their placeholders filled in, plurals, dates, numbers.

Messages are written in English where they are used, and found there by `scripts/catalogues.py`. A placeholder is
`%(name)s` and a percent sign `%%`, in templates as in code.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from gettext import NullTranslations

from babel import Locale
from babel.numbers import format_decimal
from markupsafe import Markup

from comms.language import dates
from comms.language.tags import beside, direction


@dataclass(frozen=True, slots=True)
class Words:
    """How pages and mails speak. `language` is the tag of the words; dates follow `locale`, which may be nearer."""

    language: str
    locale: Locale
    translations: NullTranslations = field(repr=False)

    @property
    def direction(self) -> str:
        """ "ltr" or "rtl"."""
        return direction(self.language)

    def gettext(self, message: str, **values: object) -> str:
        """The message in this language. Raises KeyError for a placeholder without its value."""
        return self.translations.gettext(message) % values

    def ngettext(self, one: str, many: str, number: int, **values: object) -> str:
        """The form that goes with `number`, which it may show as `%(num)s`."""
        return self.translations.ngettext(one, many, number) % {**values, "num": self.number(number)}

    def translated(self, text: str) -> str:
        """A text that was `marked` where it was written; any other as it is. Fills in nothing."""
        return self.translations.gettext(text) if text else ""

    def day(self, moment: date) -> str:
        return dates.day(moment, self.locale)

    def moment(self, moment: datetime) -> str:
        """Day of the week, day and time, in the moment's own zone, which is not named."""
        return dates.weekday_and_time(moment, self.locale)

    def number(self, value: int) -> str:
        return str(format_decimal(value, locale=self.locale))

    def beside(self, language: str) -> Markup:
        """The attributes of an element with our words within a text in `language`, as `tags.beside`."""
        return beside(self.language, language)


ENGLISH = Words("en", Locale("en"), NullTranslations())


def marked(text: str) -> str:
    """The same text, which `scripts/catalogues.py` finds by this, for `Words.translated` later on."""
    return text
