"""Files -> a ZIP that is the same, to the byte, whenever it is made. Writes nothing to disk."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a ZIP can name (APPNOTE.TXT section 4.4.6)."""
_READABLE = 0o644 << 16
_UNIX = 3


def to_zip(files: Mapping[str, bytes]) -> bytes:
    """The files in their order, each under its path within the ZIP."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = _READABLE
            entry.create_system = _UNIX
            archive.writestr(entry, data)
    return out.getvalue()
