"""Reading bounces, complaints and automatic answers: bytes of a message in, what it says of whom out."""

from comms.engagement.bounces.models import BounceClass as BounceClass
from comms.engagement.bounces.models import Bounced as Bounced
from comms.engagement.bounces.models import Kind as Kind
from comms.engagement.bounces.models import Verdict as Verdict
from comms.engagement.bounces.reading import read_bounce as read_bounce

__all__ = ["BounceClass", "Bounced", "Kind", "Verdict", "read_bounce"]
