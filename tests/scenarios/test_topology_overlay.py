"""A topology file changes the parts of the built-in system that it names."""

from __future__ import annotations

from scenarios.topology_overlay import load_topology
from simulator.topology import Topology


def test_a_topology_file_may_add_a_tier(tmp_path):
    """A tier of a new name is added with its own numbers; the others stay."""
    path = tmp_path / "t.yaml"
    path.write_text("tiers: {interns: {agents: 10, takes: [work], speed: 0.5}}\n")
    topology = load_topology(path)
    assert topology.fleet == 938
    assert topology.tiers[-1].takes == ("work",)
    path.write_text("")
    assert load_topology(path) == Topology()
