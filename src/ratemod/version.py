"""Which ratemod this is."""

from __future__ import annotations


def version() -> str:
    """Return the installed version, or an empty string when run from a folder of sources."""
    from importlib import metadata

    try:
        return metadata.version("ratemod")
    except metadata.PackageNotFoundError:
        return ""
