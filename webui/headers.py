"""What every answer tells the browser: what it may load, keep and pass on."""

from __future__ import annotations

from flask import Flask, Response

_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_ALWAYS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}


def register(app: Flask) -> None:
    """Set the headers on every answer, errors and files included."""
    app.after_request(_set)


def _set(response: Response) -> Response:
    for name, value in _ALWAYS.items():
        response.headers[name] = value
    # Pages hold people's records: a browser keeps none. Images and static files say otherwise.
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response
