"""What the site's pages may do, beyond what `killreport.answering` says of every answer."""

from __future__ import annotations


def page_policy(image_policy: str) -> dict[str, str]:
    """Return the headers: scripts, styles and connections from this site only, images also from EVE's image server."""
    return {
        "Content_Security_Policy": (
            f"default-src 'self'; img-src {image_policy}; object-src 'none'; base-uri 'none'; "
            "form-action 'self'; frame-ancestors 'none'"
        ),
        "Referrer_Policy": "strict-origin-when-cross-origin",
    }
