"""What `make bench` saves and says, on a machine that takes no time at all."""

import io
import json

from rich.console import Console

from benchmarks import bench


def test_rounds_are_timed_and_the_load_is_counted():
    """Each round goes on where the last one ended."""
    reached = []
    one = bench.Contender("a model", reached.append, lambda: (30, 300), round_s=2.0)
    assert one.run_round() > 0
    one.run_round()
    assert reached == [2.0, 4.0]
    report = one.report()
    assert (report["tasks_per_s"], report["messages_per_s"]) == (7.5, 75.0)
    assert min(report["rounds"]) <= report["times_real_time"] <= max(report["rounds"])


def document(world):
    """Return a document in which the world ran at `world` times real time."""
    one = {"title": "a model", "rounds": [1.0, 2.0], "core_share": 1.0}
    one |= {"tasks_per_s": 10_300, "messages_per_s": 103_000}
    return {
        "world": {**one, "times_real_time": world},
        "simpy": {**one, "times_real_time": 1.5},
        "simpy_arithmetic": {**one, "times_real_time": 2.5},
        "ratio": world / 1.5,
        "ratio_arithmetic": world / 2.5,
        "compilation": {"cold_s": 3.0, "from_cache_s": 0.3, "import_s": 0.4},
    }


def test_the_table_says_whether_what_is_wanted_holds():
    """And a slow world does not pass for a fast one."""
    said = []
    for world in (300.0, 75.0):
        console = Console(record=True, width=120, file=io.StringIO())
        bench.print_tables(document(world), console)
        said.append(console.export_text())
    ends = [[line.split()[-1] for line in text.splitlines() if line.strip()] for text in said]
    assert (ends[0].count("yes"), ends[0].count("no")) == (4, 0)
    assert (ends[1].count("yes"), ends[1].count("no")) == (2, 2)


def test_what_is_saved_is_whole_json(tmp_path):
    """Written beside its place and then moved there."""
    path = tmp_path / "latest.json"
    path.write_text("{an older one")
    bench.save(document(300.0), path)
    assert json.loads(path.read_text())["world"]["times_real_time"] == 300.0
    assert list(tmp_path.iterdir()) == [path]
