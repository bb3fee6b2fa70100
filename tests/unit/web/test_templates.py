"""Templates: what they write, and that Jinja itself would write the same."""

from __future__ import annotations

from html import unescape
from pathlib import Path
from typing import Any

import pytest

from killreport.web import amounts, site
from killreport.web.images import Images
from killreport.web.model import ApiKillRow
from killreport.web.rows import by_day
from killreport.web.site import Site
from tests.unit.web.examples import NOON, make_row

FOLDER = Path(site.__file__).parent / "templates"


@pytest.fixture(scope="module")
def made_site() -> Site:
    """Return a site without API."""
    return Site(Images("https://images.example"))


def list_names(made: Site) -> dict[str, Any]:
    """Return the names the list page takes."""
    hostile = {"id": 1, "name": "<b>'Alice' & \"Bob\"</b>"}
    rows: list[ApiKillRow] = [make_row(2), make_row(1, NOON.replace(day=1))]
    victim = {"character": hostile, "corporation": None, "alliance": None, "faction": None, "damageTaken": 1}
    ship = {"id": 1, "name": None, "group": None}
    rows.append(make_row(0, NOON.replace(day=1), victim={**victim, "shipType": ship}))
    return {
        "days": by_day([made.row(row) for row in rows]),
        "is_first": True,
        "since": "a-1",
        "limit": 50,
        "older": "abc=",
        "killmail_count": 12345,
    }


def test_jinja_writes_the_same_list(made_site: Site) -> None:
    jinja2 = pytest.importorskip("jinja2")
    jinja = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.filters.update(isk_short=amounts.isk_short, isk_full=amounts.isk_full, count=amounts.count)
    jinja.globals["asset"] = made_site.assets.address
    names = list_names(made_site)

    ours = made_site.templates.render_template("pages/home.html", **names)
    theirs = jinja.get_template("pages/home.html").render(**names)

    # They escape the same characters, in other spellings, and end blocks with other line breaks.
    assert unescape(ours).split() == unescape(theirs).split()


def test_every_template_compiles(made_site: Site) -> None:
    for path in FOLDER.rglob("*.html"):
        assert made_site.templates.undeclared_variables_in_template(str(path.relative_to(FOLDER))) is not None


def test_pictures_have_sizes_and_are_loaded_late(made_site: Site) -> None:
    row = made_site.templates.render_template("parts/row.html", row=made_site.row(make_row()))
    assert '<img src="https:' in unescape(row)
    assert 'width="40" height="40" alt="" loading="lazy"' in row


def test_a_live_event_says_where_its_row_belongs(made_site: Site) -> None:
    data = made_site.live_data(make_row(7))
    assert '"key": "001638446400.000000000007"' in data
    assert '"day": "2021-12-02"' in data
    assert "\n" not in data
