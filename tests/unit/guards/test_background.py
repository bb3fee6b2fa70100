"""Nothing runs on by itself whose end nobody sees."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[3]
STARTERS = {"create_task", "ensure_future", "run_in_executor", "Thread", "Timer", "ThreadPoolExecutor"}
# Who starts something elsewhere than in `killreport.background`, how often, and who sees its end there.
SEEN_ELSEWHERE = {
    "killreport/api/engine/run.py": (1, "the run waits for all of them, and cancels what is left"),
    "killreport/api/engine/shared.py": (1, "awaited by every subscriber that shares the answer"),
    "killreport/api/state/entity_facts.py": (1, "awaited by everybody who asked for facts"),
    "killreport/api/door/guard/sse.py": (3, "the stream reads each result, and cancels what is left"),
    "killreport/api/views/batch.py": (1, "awaited by everybody who asked for the part"),
    "killreport/api/rest/channels.py": (1, "awaited by every socket that tells of the killmail"),
    "killreport/api/door/websocket.py": (
        1,
        "the client is told what an operation fails with, and the connection's end cancels what is left",
    ),
    "killreport/cli/processes/foreground.py": (1, "awaited at once; it goes on only while everything is stopped"),
    "killreport/cli/fleet/monit.py": (1, "what each answer was is shown when it is there"),
    "killreport/cli/fleet/supervisor.py": (1, "all answers are read before the command ends"),
    "killreport/cli/output/terminal.py": (1, "it survives whatever a terminal fails with, and the end waits for it"),
    "killreport/db/keeper.py": (2, "it imports nothing of ours; neither thread can end without an event"),
    "killreport/ingest/importing.py": (2, "the import awaits each batch"),
    "killreport/queueing/embedded_consumer.py": (1, "what a place fails with ends the consumer"),
    "killreport/supervisor/instance.py": (1, "awaited, also where whoever waits is cancelled"),
}


def _starts(source: str) -> int:
    """Count the calls that start something, but for those of a task group, which raises what its tasks fail with."""
    count = 0
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Attribute(value=ast.Name(id="group"), attr="create_task"):
                continue
            case ast.Attribute(attr=name) | ast.Name(id=name):
                count += name in STARTERS
    return count


def test_whatever_runs_on_is_started_where_its_end_is_seen() -> None:
    found: Counter[str] = Counter()
    for path in (ROOT / "killreport").rglob("*.py"):
        found[str(path.relative_to(ROOT))] = _starts(path.read_text(encoding="utf-8"))
    del found["killreport/background.py"]

    assert +found == {path: count for path, (count, _reason) in SEEN_ELSEWHERE.items()}


def test_a_bare_task_would_be_found() -> None:
    assert _starts("import asyncio\ntask = asyncio.create_task(work())") == 1
    assert _starts("loop.create_task(work())\nThread(target=work).start()") == 2
    assert _starts("async with asyncio.TaskGroup() as group:\n    group.create_task(work())") == 0


def test_nobody_waits_by_what_can_lose_a_cancellation() -> None:
    # asyncio.wait_for returns in Python 3.11, though cancelled, where what it waits for ends in the same moment.
    paths = (ROOT / "killreport").rglob("*.py")
    assert [path for path in paths if "asyncio.wait_for(" in path.read_text(encoding="utf-8")] == []
