"""The tools that associations send with: what each calls its tags, as plain data. It renders nothing.

The tags are those of the vendors' own pages, read in November 2026; where a page says less, public code that talks to
the tool says more, and is named so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_NAME, _WORDS = "<name>", "<words>"
_PLAIN_WORDS = re.compile(r"[^\W_](?:[\w .,-]{0,78}[\w.])?")
"""Words that end no tag early, in any of the tools."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool. Tags are what stands in the mail, byte for byte; empty where the tool has none."""

    slug: str
    name: str
    paste: str
    """Where `newsletter.html` goes, in one or two sentences."""
    unsubscribe: str = ""
    """For the `href` of a link. Without one readers are asked to write."""
    view: str = ""
    """For the `href` of a link to the mail as a page."""
    postal: str = ""
    """The sender's postal address as the tool knows it, for tools that refuse a mail without; else ours is there."""
    value: str = ""
    """A value of the reader; `<name>` stands for what the tool calls it."""
    value_or: str = ""
    """The same, with `<words>` where there is no value."""
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """What we call a member's value -> what the tool does."""
    markup: str = ""
    """Pattern of the one character with which something begins that the tool would run; it must not come from text."""

    def tag(self, name: str, words: str = "") -> str | None:
        """The tag for a member's value, `words` where it is absent.

        None when the tool does not know the value, has no tag with a fallback, or would misread the words.
        """
        if name not in self.values:
            return None
        if not words:
            return self.value.replace(_NAME, self.values[name]) or None
        if not self.value_or or not _PLAIN_WORDS.fullmatch(words):
            return None
        return self.value_or.replace(_NAME, self.values[name]).replace(_WORDS, words)


def _named(**values: str) -> Mapping[str, str]:
    return MappingProxyType(values)


_TOOLS = (
    # mailchimp.com/help/all-the-merge-tags-cheat-sheet, mailchimp.com/help/use-conditional-merge-tag-blocks
    Tool(
        "mailchimp",
        "Mailchimp",
        "Create an email, choose “Code your own”, then “Paste in code”.",
        unsubscribe="*|UNSUB|*",
        view="*|ARCHIVE|*",
        postal="*|LIST:ADDRESSLINE|*",
        value="*|<name>|*",
        value_or="*|IF:<name>|**|<name>|**|ELSE:|*<words>*|END:IF|*",
        values=_named(first_name="FNAME", last_name="LNAME", address="EMAIL"),
        markup=r"\*(?=\||\Z)",
    ),
    # knowledgebase.constantcontact.com article 48289 and developer.constantcontact.com/api_guide/design_code_emails:
    # tags, fallbacks, and that a mail may not hold `[#`, `${` or `<@`. The tags of the two links are those that the
    # WordPress plugin Newsletter Glue writes for it. Its own footer with the postal address comes below in any case.
    Tool(
        "constantcontact",
        "Constant Contact",
        "Create an email, choose “Custom code”, and put the file in place of the code there.",
        unsubscribe="[[unsubscribeLink]]",
        view="[[viewAsWebpage]]",
        value="[[<name>]]",
        value_or='[[<name> OR "<words>"]]',
        values=_named(first_name="FirstName", last_name="LastName", address="EmailAddress"),
        markup=r"\[(?=[\[#]|\Z)|\$(?=\{|\Z)|<(?=@)",
    ),
    # docs.civicrm.org/dev/en/latest/framework/token (filter `default`), wiki.civicrm.org "CiviMail Action Tokens":
    # {domain.address} is one of the tokens that no mailing may lack.
    Tool(
        "civicrm",
        "CiviCRM",
        "New mailing, choose the traditional one; in the HTML field press “Source” and paste.",
        unsubscribe="{action.unsubscribeUrl}",
        view="{mailing.viewUrl}",
        postal="{domain.address}",
        value="{contact.<name>}",
        value_or='{contact.<name>|default:"<words>"}',
        values=_named(first_name="first_name", last_name="last_name", address="email"),
        markup=r"\{(?=\w+\.\w|\Z)",
    ),
    # support.wildapricot.com/hc/en-us/articles/14746987647757 "Email macros": no fallbacks, no page of the mail.
    Tool(
        "wildapricot",
        "Wild Apricot",
        "Compose an email from a blank template, open the HTML of the message (“<>”), and paste.",
        unsubscribe="{Unsubscribe_Url}",
        value="{<name>}",
        values=_named(first_name="Contact_First_Name", last_name="Contact_Last_Name"),
        markup=r"\{(?=[A-Za-z]+_|\Z)",
    ),
    # listmonk.app/docs/templating, with `default` of Sprig
    Tool(
        "listmonk",
        "listmonk",
        "New campaign, format “Raw HTML”, with a template that holds nothing but the content.",
        unsubscribe="{{ UnsubscribeURL }}",
        view="{{ MessageURL }}",
        value="{{ .Subscriber.<name> }}",
        value_or='{{ .Subscriber.<name> | default "<words>" }}',
        values=_named(first_name="FirstName", last_name="LastName", address="Email"),
        markup=r"\{(?=\{|\Z)|@(?=TrackLink)",
    ),
    # TryGhost/Ghost, email-service/lib/email-renderer.js: the replacements of an HTML card. Ghost adds its own foot.
    Tool(
        "ghost",
        "Ghost",
        "New post, add an HTML card, and paste what stands between <body> and </body>. Publish it as email only.",
        unsubscribe="%%{unsubscribe_url}%%",
        value="%%{<name>}%%",
        value_or='%%{<name>, "<words>"}%%',
        values=_named(first_name="first_name", address="email"),
        markup=r"%(?=%\{|\Z)",
    ),
    # help.brevo.com/hc/en-us/articles/360000946299 (Brevo Template Language)
    Tool(
        "brevo",
        "Brevo",
        "Create an email campaign, choose “Code your own” and “Paste your code”.",
        unsubscribe="{{ unsubscribe }}",
        view="{{ mirror }}",
        value="{{ contact.<name> }}",
        value_or='{{ contact.<name> | default : "<words>" }}',
        values=_named(first_name="FIRSTNAME", last_name="LASTNAME", address="EMAIL"),
        markup=r"\{(?=[{%#]|\Z)",
    ),
    # mailerlite.com/help (custom HTML editor, personalisation variables)
    Tool(
        "mailerlite",
        "MailerLite",
        "Create a campaign, choose the “Custom HTML editor”, and paste.",
        unsubscribe="{$unsubscribe}",
        view="{$url}",
        value="{$<name>}",
        value_or="{$<name>|default('<words>')}",
        values=_named(first_name="name", last_name="last_name", address="email"),
        markup=r"\{(?=\$|\Z)",
    ),
    # developers.hubspot.com/docs/cms/reference/hubl/variables: required variables of e-mails, personalization_token
    Tool(
        "hubspot",
        "HubSpot",
        "In the design manager make a new HTML file, as an email template, and paste. Then make the email from it.",
        unsubscribe="{{ unsubscribe_link }}",
        view="{{ view_as_page_url }}",
        postal=(
            "{{ site_settings.company_name }}, {{ site_settings.company_street_address_1 }}, "
            "{{ site_settings.company_city }}, {{ site_settings.company_state }} {{ site_settings.company_zip }}"
        ),
        value="{{ contact.<name> }}",
        value_or="{{ personalization_token('contact.<name>', '<words>') }}",
        values=_named(first_name="firstname", last_name="lastname", address="email"),
        markup=r"\{(?=[{%#]|\Z)",
    ),
    Tool(
        "plain", "any other tool", "Paste it where your tool takes HTML. Put its own link to unsubscribe in the foot."
    ),
)

TOOLS: Mapping[str, Tool] = MappingProxyType({tool.slug: tool for tool in _TOOLS})
"""Every tool by its slug."""
