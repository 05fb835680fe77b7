"""The kernel as it stands, uncompiled, and a small fleet on which its steps are called by hand.

The module is read anew: in the shared one the steps are compiled into `run` and cannot be called.
"""

from __future__ import annotations

from importlib.util import find_spec, module_from_spec
from typing import TYPE_CHECKING, Any

from simulator.faults.effective_parameters import EffectiveParameters
from simulator.kernel.initial_state import build
from simulator.kernel.streams import Streams

if TYPE_CHECKING:
    from simulator.topology import Topology

SEED = 7


def read_kernel() -> Any:
    """Return a copy of the kernel's module whose steps are plain functions."""
    spec = find_spec("simulator.kernel.loop")
    kernel = module_from_spec(spec)
    spec.loader.exec_module(kernel)
    return kernel


class Bench:
    """A world's arrays at time 0, without a load, and every step of the kernel as a method.

    `bench.retire(agent, now)` calls the step with the arrays that it takes. `s` shows the arrays as
    tables; agents are written to by their columns: `bench.s.inbox[3, k.TAKEN] = 2`.
    """

    def __init__(self, topology: Topology) -> None:
        """Lay out the arrays of a new world, its streams filled, its base parameters in effect."""
        self.kernel = read_kernel()
        self.s = build(topology)
        Streams(topology, SEED, None).refill(self.s)
        EffectiveParameters(topology, self.s).write(self.s, 0)
        self.kernel.retime_all(self.s.w, self.s.x)

    def __getattr__(self, name: str) -> Any:
        """Return the step of this name, bound to the arrays that its first parameters ask for."""
        step = getattr(self.kernel, name)
        names = step.__code__.co_varnames[: step.__code__.co_argcount]
        arrays = [getattr(self.s, array) for array in ("w", "x") if array in names]
        return lambda *rest: step(*arrays, *rest)

    def dispatch_task(self, agent: int, *, work_ns: int, meta: int = 2, now: int = 0) -> None:
        """Take an agent out of its list and hand it a task of normal priority."""
        self.unlink(agent)
        self.dispatch(agent, now, now, work_ns, meta, (1 << 62) - 1)

    def advance(self, until_ns: int) -> None:
        """Carry out every event up to and including `until_ns`; the streams must last for them."""
        assert self.run(self.kernel.ADVANCE, until_ns) == self.kernel.DONE
