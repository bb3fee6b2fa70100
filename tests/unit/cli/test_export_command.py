"""`killreport export` writes, lists what it wrote, and says a mistake in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from killreport.cli.main import status_of
from tests.unit.fleet.exports import MAKERS


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Have the settings come from here alone."""
    monkeypatch.setenv("KILLREPORT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KILLREPORT_DATABASE_URL", "postgresql://u:hunter2@db/k")


@pytest.mark.parametrize("target", MAKERS)
def test_the_list_is_of_the_files_that_are_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    folder = tmp_path / "out"
    changes = []
    for _ in range(2):
        assert status_of(["export", target, str(folder), "--json"]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert (answer["target"], answer["folder"]) == (target, str(folder))
        changes.append({file["change"] for file in answer["files"]})
    there = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert ([file["path"] for file in answer["files"]], changes) == (there, [{"written"}, {"unchanged"}])
    assert [path for path in there if "hunter2" in (folder / path).read_text()] == []


def test_for_people_each_file_is_a_line_and_then_comes_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(["export", "pm2", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"  written    {tmp_path}/ecosystem.config.js",
        "Left out, for they are secrets: KILLREPORT_DATABASE_URL. They belong into killreport.toml in the home folder.",
        "pm2 start ecosystem.config.js, then pm2 save.",
    ]


def test_which_secrets_were_left_out_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KILLREPORT_OPERATOR_TOKEN", "hunter2hunter2hunter2hunter2hunter2")
    assert status_of(["export", "pm2", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "secrets: KILLREPORT_DATABASE_URL, KILLREPORT_OPERATOR_TOKEN. They belong into killreport.toml" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("image", ["killreport", "localhost:5000/killreport", ":1", ""])
def test_an_image_without_a_version_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], image: str) -> None:
    assert status_of(["export", "kubernetes", str(tmp_path / "out"), "--image", image]) == 1
    assert capsys.readouterr().err.startswith(f"killreport: --image {image} has no version; give it as NAME:TAG")
    assert not (tmp_path / "out").exists()


def test_files_of_others_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert status_of(["export", "pm2", str(tmp_path)]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"killreport: {tmp_path} has mine.txt, which is not from an export to pm2;")
    assert status_of(["export", "pm2", str(tmp_path), "--force"]) == 0


def test_a_user_that_is_no_name_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["export", "systemd", str(tmp_path), "--user", "a\nExecStart=b"]) == 1
    assert "--user" in capsys.readouterr().err
