"""The `comms` command: parses, calls the engine, prints. Decides nothing."""

from comms.cli.app import app as app
from comms.cli.app import main as main

__all__ = ["app", "main"]
