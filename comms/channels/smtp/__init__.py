"""A mail client for many messages over few sessions (RFC 5321, 2920): `session.BulkSession`."""

from comms.channels.smtp.loop import new_event_loop as new_event_loop
from comms.channels.smtp.session import BulkSession as BulkSession
