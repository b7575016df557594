"""The segment language: rules over members, read, checked, explained and answered. Holds no data itself.

    rule = parse('sector in (library, archives) and state != "HI"')
    check_names(rule, known={"sector", "state"})
    print(explain(rule))
    condition = to_sql(rule, today)      # for the database
    matches(rule, member, today)         # for one member in hand; the two always agree

They agree on data that JSON can hold and SQLite keeps: text in UTF-8 without NUL, finite numbers.
The language itself is described in docs/segments.md.
"""

from audiences.segments.errors import RuleError as RuleError
from audiences.segments.match import matches as matches
from audiences.segments.names import check_names as check_names
from audiences.segments.parser import parse as parse
from audiences.segments.sql import Condition as Condition
from audiences.segments.sql import index_expression as index_expression
from audiences.segments.sql import to_sql as to_sql
from audiences.segments.tree import FIELDS as FIELDS
from audiences.segments.tree import Rule as Rule
from audiences.segments.words import explain as explain

__all__ = [
    "FIELDS",
    "Condition",
    "Rule",
    "RuleError",
    "check_names",
    "explain",
    "index_expression",
    "matches",
    "parse",
    "to_sql",
]
