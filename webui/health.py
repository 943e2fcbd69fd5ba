"""A sign of life for whatever watches the server; it tells strangers nothing else."""

from __future__ import annotations

from flask import Blueprint

from webui.gate import open_to_all

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
@open_to_all
def health() -> dict[str, str]:
    """Say that the site answers."""
    return {"status": "ok"}
