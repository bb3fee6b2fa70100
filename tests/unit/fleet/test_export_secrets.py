"""No export writes a secret: not a setting that is one, and not an address that holds one."""

from __future__ import annotations

import pytest
import yaml

from killreport.fleet.systemd import quoted
from killreport.fleet.table import FLEET
from tests.unit.fleet.exports import MAKERS, bundle, surroundings

WORD = "wordwordwordwordwordword"
CHANGES = {
    "KILLREPORT_ESI_URL": f"https://me:{WORD}@esi.example.org",
    "KILLREPORT_API_URL": f"https://me:{WORD}@api.example.org",
    "KILLREPORT_ZKILLBOARD_URL": f"https://{WORD}@zkillboard.example.org",
    "KILLREPORT_OPERATOR_TOKEN": WORD,
}


@pytest.mark.parametrize("target", MAKERS)
def test_an_address_with_a_password_is_in_no_file(target: str) -> None:
    files = bundle(target, FLEET, **CHANGES).files
    assert [name for name, text in files.items() if WORD in text] == []


def test_what_is_left_out_is_named() -> None:
    assert surroundings(**CHANGES).left_out() == [
        "KILLREPORT_API_URL",
        "KILLREPORT_BROKER_URL",
        "KILLREPORT_DATABASE_URL",
        "KILLREPORT_ESI_URL",
        "KILLREPORT_OPERATOR_TOKEN",
        "KILLREPORT_REDIS_URL",
        "KILLREPORT_ZKILLBOARD_URL",
    ]


def test_compose_and_kubernetes_ask_the_operator_for_such_an_address_where_it_is_needed() -> None:
    services = yaml.safe_load(bundle("compose", FLEET, **CHANGES).files["compose.yaml"])["services"]
    asked = "${KILLREPORT_ESI_URL:?set it in .env}"
    assert services["worker-types"]["environment"]["KILLREPORT_ESI_URL"] == asked
    assert "KILLREPORT_ESI_URL" not in services["killreport-frontend"]["environment"]
    assert "KILLREPORT_ESI_URL=\n" in bundle("compose", FLEET, **CHANGES).files[".env.example"]

    files = bundle("kubernetes", FLEET, **CHANGES).files
    named = {name: "key: esi_url" in files[f"base/{name}.yaml"] for name in ("worker-types", "killreport-frontend")}
    assert named == {"worker-types": True, "killreport-frontend": False}
    token = {
        name: "key: operator_token" in files[f"base/{name}.yaml"] for name in ("worker-types", "killreport-backend")
    }
    assert token == {"worker-types": False, "killreport-backend": True}


def test_a_unit_has_the_files_of_the_secrets_that_its_process_needs() -> None:
    files = bundle("systemd", FLEET, **CHANGES).files
    read = {
        name: [line.partition("=")[2] for line in files[f"{name}.service"].splitlines() if "EnvironmentFile=" in line]
        for name in ("killreport-backend", "killreport-frontend", "killreport-worker-types")
    }
    stores = "/etc/killreport/secrets.env"
    assert read == {
        "killreport-backend": [stores, "-/etc/killreport/killreport-backend.env"],
        "killreport-frontend": ["-/etc/killreport/killreport-frontend.env"],
        "killreport-worker-types": [stores],
    }
    assert "OPERATOR_TOKEN" in files["killreport-backend.env.example"]
    assert "OPERATOR_TOKEN" not in files["secrets.env.example"]


def test_a_unit_has_no_line_that_a_value_began() -> None:
    assert quoted("a\nUser=root\r\x7f") == '"a\\x0aUser=root\\x0d\\x7f"'
