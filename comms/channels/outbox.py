"""A channel for networks without credentials: writes each post to a file, asks no network."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from comms.channels.base import PostResult, Refused, Simulated, SocialPost, refusal_before_sending
from comms.channels.measures import measure
from comms.files import write_whole

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


class OutboxChannel:
    """Writes `<key>.txt` into a folder; the same key again replaces the same file."""

    def __init__(self, folder: Path, network: str) -> None:
        """`network` is one of `campaigns.models.NETWORKS`; the folder is made when first needed."""
        self.name = network
        self._measure = measure(network)
        self._folder = folder

    @property
    def limit(self) -> int:
        return self._measure.limit

    def count(self, text: str) -> int:
        """The text's length, as the network counts."""
        return self._measure.count(text)

    def publish(self, post: SocialPost) -> PostResult:
        """Write the post; refused, to be tried again, when the disk can not take it."""
        if refusal := refusal_before_sending(post, self.count, self.limit):
            return refusal
        path = self._folder / f"{_file_stem(post.key)}.txt"
        try:
            write_whole(path, _as_text(post).encode())
        except OSError as error:
            reason = f"The post could not be written to {path}: {error.strerror or error}."
            return Refused(reason, permanent=False)
        return Simulated(path)


def _as_text(post: SocialPost) -> str:
    images = "".join(f"\n[image: {image.alt or 'decorative'}]" for image in post.images)
    return f"{post.text}{images}\n"


def _file_stem(key: str) -> str:
    """A file name that can not leave the folder; a key that had to be changed keeps its own by a hash."""
    stem = _UNSAFE.sub("-", key).lstrip(".-")[:100]
    if stem == key:
        return stem
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{stem}-{digest}".lstrip("-")
