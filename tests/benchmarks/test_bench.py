"""What `make bench` saves and prints, of models that take no time."""

import io
import json

from rich.console import Console

from benchmarks import bench


def test_rounds_are_timed_and_the_load_is_counted():
    """Each round goes on where the last one ended."""
    reached = []
    contender = bench.Contender("a model", reached.append, lambda: (30, 300), round_s=2.0)
    assert contender.run_round() > 0
    contender.run_round()
    assert reached == [2.0, 4.0]
    report = contender.report()
    assert (report["tasks_per_s"], report["messages_per_s"]) == (7.5, 75.0)
    assert min(report["rounds"]) <= report["times_real_time"] <= max(report["rounds"])


def document(world):
    """Return a document in which the world ran at `world` times real time."""
    model = {"title": "a model", "rounds": [1.0, 2.0], "core_share": 1.0}
    model |= {"tasks_per_s": 10_300, "messages_per_s": 103_000}
    return {
        "world": {**model, "times_real_time": world},
        "simpy": {**model, "times_real_time": 1.5},
        "simpy_arithmetic": {**model, "times_real_time": 2.5},
        "ratio": world / 1.5,
        "ratio_arithmetic": world / 2.5,
        "compilation": {"cold_s": 3.0, "from_cache_s": 0.3, "import_s": 0.4},
    }


def test_the_table_says_whether_each_limit_holds():
    """A fast world is within all of them, a slow one is not."""
    printed = []
    for world in (300.0, 75.0):
        console = Console(record=True, width=120, file=io.StringIO())
        bench.print_tables(document(world), console)
        printed.append(console.export_text())
    ends = [[line.split()[-1] for line in text.splitlines() if line.strip()] for text in printed]
    assert (ends[0].count("yes"), ends[0].count("no")) == (4, 0)
    assert (ends[1].count("yes"), ends[1].count("no")) == (2, 2)


def test_the_document_is_saved_whole(tmp_path):
    """It is written beside its place and then moved there."""
    path = tmp_path / "latest.json"
    path.write_text("{an older one")
    bench.save(document(300.0), path)
    assert json.loads(path.read_text())["world"]["times_real_time"] == 300.0
    assert list(tmp_path.iterdir()) == [path]
