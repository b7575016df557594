"""Settings of a workspace: `comms.toml`, overridden key by key from the environment.

Each of the files here says what a few sections may hold; `settings` puts them together, `loading` reads them,
`description` tells of them.
"""

from comms.config.loading import FILE_NAME as FILE_NAME
from comms.config.loading import load as load
from comms.config.mail import LONGEST_BOUNCE_NAME as LONGEST_BOUNCE_NAME
from comms.config.mail import Bounces as Bounces
from comms.config.mail import Pacing as Pacing
from comms.config.mail import Smtp as Smtp
from comms.config.mail import SmtpRelay as SmtpRelay
from comms.config.networks import Bluesky as Bluesky
from comms.config.networks import LinkedIn as LinkedIn
from comms.config.networks import Mastodon as Mastodon
from comms.config.networks import X as X
from comms.config.people import Retention as Retention
from comms.config.settings import NAMED as NAMED
from comms.config.settings import NAMED_SECTIONS as NAMED_SECTIONS
from comms.config.settings import Settings as Settings
from comms.config.settings import model_of as model_of
from comms.config.web import Feeds as Feeds
from comms.config.web import Metrics as Metrics
