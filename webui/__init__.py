"""People: the site on which records are found, looked at, corrected and handed in."""

from webui.app import create_app

__all__ = ["create_app"]
