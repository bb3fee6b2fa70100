"""What every page needs, made once: templates, static files, images, the API client, the live feed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minijinja import Environment, load_from_path, safe
from starlette.requests import Request
from starlette.responses import HTMLResponse

from killreport.door.client import Client
from killreport.web import amounts
from killreport.web.assets import Assets
from killreport.web.client import ApiClient
from killreport.web.images import Images
from killreport.web.live import LiveFeed
from killreport.web.model import ApiKillRow
from killreport.web.rows import KillRowView, row_view

_FOLDER = Path(__file__).parent


@dataclass
class Site:
    """Passed to every page through `request.app.state.site`."""

    images: Images
    assets: Assets = field(default_factory=lambda: Assets(_FOLDER / "static"))

    def __post_init__(self) -> None:
        self.templates = Environment(
            loader=load_from_path([_FOLDER / "templates"]),
            undefined_behavior="strict",
            trim_blocks=True,
            lstrip_blocks=True,
            filters={"count": amounts.count},
            # Addresses are our own; escaping would write their slashes as entities.
            globals={"asset": lambda name: safe(self.assets.address(name))},
        )
        # Asks for the site itself; what a visitor wants is asked for by `client_for`.
        self.client: ApiClient
        self.live: LiveFeed

    def client_for(self, request: Request) -> ApiClient:
        """Return a client of the API that asks for whoever sent this request."""
        visitor: Client = request.state.visitor
        return self.client.asking_for(visitor.address or visitor.key)

    def page(
        self, template: str, /, status: int = 200, headers: dict[str, str] | None = None, **names: Any
    ) -> HTMLResponse:
        """Return the page; every page is made anew, browsers ask again each time."""
        body = self.templates.render_template(f"pages/{template}", **names)
        return HTMLResponse(body, status, {"Cache-Control": "no-cache", **(headers or {})})

    def row(self, row: ApiKillRow) -> KillRowView:
        """Return the row of a list."""
        return row_view(row, self.images)

    def live_data(self, row: ApiKillRow) -> str:
        """Return the data of a live event: where the row belongs, its HTML, and that of its day's heading."""
        view = self.row(row)
        return json.dumps(
            {
                "key": view.sort_key,
                "day": view.day,
                "row": self.templates.render_template("parts/row.html", row=view),
                "heading": self.templates.render_template("parts/day.html", day=view.day, title=view.day_title),
            }
        )
