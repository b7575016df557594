"""What associations reached together, as figures that can not be turned back into people.

    report = build(rows, campaign="reading-week", title="Reading week", coalition="The Coalition", closed=now)
    write_csv(report, Path("reading-week.csv"))
    write_html(report, Path("reading-week.html"))
    year = combine([report, another], title="First quarter of 2027", coalition="The Coalition")

All faces show what `build` let through (`comms.engagement.disclosure`) and nothing else. Neither asks a database.
"""

from comms.engagement.collective.build import Carried as Carried
from comms.engagement.collective.build import build as build
from comms.engagement.collective.combine import combine as combine
from comms.engagement.collective.figures import Cell as Cell
from comms.engagement.collective.figures import CollectiveReport as CollectiveReport
from comms.engagement.collective.figures import CrossTable as CrossTable
from comms.engagement.collective.figures import Figure as Figure
from comms.engagement.collective.figures import PollFigures as PollFigures
from comms.engagement.collective.figures import Source as Source
from comms.engagement.collective.page import to_html as to_html
from comms.engagement.collective.page import write_html as write_html
from comms.engagement.collective.sheet import to_csv as to_csv
from comms.engagement.collective.sheet import write_csv as write_csv
from comms.engagement.collective.terminal import render as render
