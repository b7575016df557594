"""A Redis for a test, which can be killed and comes back with what it kept, or without."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import redis

from tests.support.processes import wait_until

REDIS = shutil.which("redis-server")


class RedisServer:
    """Keeps nothing on disk, or every command in `folder`."""

    def __init__(self, port: int, folder: Path | None = None) -> None:
        self.port = port
        self._keeps = ["--appendonly", "yes", "--appendfsync", "always", "--dir", str(folder)] if folder else []
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        assert REDIS is not None
        words = [REDIS, "--port", str(self.port), "--save", "", *self._keeps]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with redis.Redis(port=self.port) as client:
            wait_until(lambda: self._answers(client))

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    @staticmethod
    def _answers(client: redis.Redis) -> bool:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
