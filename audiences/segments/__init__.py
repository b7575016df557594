"""The segment language: rules over members, read, checked, explained and answered. Holds no data itself.

    rule = parse('sector in (library, archives) and state in region west and not clicked("hosting-partner")')
    rule = resolve(rule, lookup, regions)       # puts in what segments and regions stand for
    check_names(rule, known=Vocabulary({"sector", "state"}, campaigns={"hosting-partner"}))
    print(explain(rule))
    condition = to_sql(rule, today)             # for the database
    matches(rule, member, today, facts)         # for one member in hand; the two always agree

They agree on data that JSON can hold and SQLite keeps: text in UTF-8 without NUL, finite numbers.
The language itself is described in docs/segments.md.
"""

from audiences.segments.errors import RuleError as RuleError
from audiences.segments.facts import NOTHING as NOTHING
from audiences.segments.facts import MemberFacts as MemberFacts
from audiences.segments.indexes import MOST_COLUMNS as MOST_COLUMNS
from audiences.segments.indexes import of_values_alone as of_values_alone
from audiences.segments.indexes import wanted_index as wanted_index
from audiences.segments.kinds import segment_name as segment_name
from audiences.segments.match import matches as matches
from audiences.segments.names import Vocabulary as Vocabulary
from audiences.segments.names import check_names as check_names
from audiences.segments.parser import parse as parse
from audiences.segments.resolve import resolve as resolve
from audiences.segments.sql import LATEST as LATEST
from audiences.segments.sql import Condition as Condition
from audiences.segments.sql import index_expression as index_expression
from audiences.segments.sql import to_sql as to_sql
from audiences.segments.sql import value_of as value_of
from audiences.segments.tree import FIELDS as FIELDS
from audiences.segments.tree import Rule as Rule
from audiences.segments.words import explain as explain

__all__ = [
    "FIELDS",
    "LATEST",
    "MOST_COLUMNS",
    "NOTHING",
    "Condition",
    "MemberFacts",
    "Rule",
    "RuleError",
    "Vocabulary",
    "check_names",
    "explain",
    "index_expression",
    "matches",
    "of_values_alone",
    "parse",
    "resolve",
    "segment_name",
    "to_sql",
    "value_of",
    "wanted_index",
]
