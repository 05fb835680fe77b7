"""Faults of the sandbox pools: slots leak one by one, or go down with what runs in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np

from simulator.faults.measure import EffectEstimate, Measure
from simulator.faults.parameters import KindFacts, Share, Uncompressed
from simulator.kernel import loop as k

if TYPE_CHECKING:
    from simulator.faults.declared_effect import DeclaredEffect
    from simulator.faults.effective_parameters import EffectiveParameters
    from simulator.faults.measure import Account, Interval
    from simulator.faults.targets import FaultTargets


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxLeak(Uncompressed):
    """Executions end without giving their slot back, until `share` of each pool is lost."""

    share: Annotated[Share, "of each pool's slots that is lost"]

    facts: ClassVar[KindFacts] = KindFacts(
        name="sandbox_leak",
        aims_at="sandboxes",
        effect_unit="leaked slots",
        measured="slots lost",
        expected="the share, as far as executions ended that could leak theirs",
    )

    @property
    def magnitude(self) -> float:
        return self.share

    def compose(
        self, effective: EffectiveParameters, targets: FaultTargets, strength: float
    ) -> None:
        effective.leaked_share[list(targets.pools)] += self.share * strength

    def declare(self, declared: DeclaredEffect, targets: FaultTargets, strength: float) -> None:
        declared.leaked_share[list(targets.pools)] += self.share * strength

    def measures(self) -> tuple[Measure, ...]:
        return (Measure(self._read_leaked, "no execution ended in its pools", latest=True),)

    @staticmethod
    def _read_leaked(interval: Interval, account: Account) -> EffectEstimate:
        """Slots lost, against the share, as far as executions ended that could leak theirs."""
        s, pools = interval.state, list(account.targets.pools)
        total = s.pool[pools, k.TOTAL]
        begun = (interval.after.executions - account.onset.executions)[pools]
        ended = begun + (account.onset.in_use - interval.after.in_use)[pools]
        share = np.minimum(interval.declared.leaked_share, 1.0)[pools]
        expected = np.minimum(np.rint(share * total), total - s.pool[pools, k.DOWN])
        expected = np.minimum(expected, np.maximum(ended, 0))
        return EffectEstimate(float(s.pool[pools, k.LEAKED].sum()), 0.0, float(expected.sum()))


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxCrash(Uncompressed):
    """`share` of the slots of each pool goes down; executions in them die with their task."""

    share: Annotated[Share, "of each pool's slots that goes down"]

    facts: ClassVar[KindFacts] = KindFacts(
        name="sandbox_crash",
        aims_at="sandboxes",
        effect_unit="slots down",
        measured="slots lost",
        expected="the share, of those that had not leaked",
    )

    @property
    def magnitude(self) -> float:
        return self.share

    def compose(
        self, effective: EffectiveParameters, targets: FaultTargets, strength: float
    ) -> None:
        effective.down_share[list(targets.pools)] += self.share * strength

    def declare(self, declared: DeclaredEffect, targets: FaultTargets, strength: float) -> None:
        declared.down_share[list(targets.pools)] += self.share * strength

    def measures(self) -> tuple[Measure, ...]:
        return (Measure(self._read_down, "its pools had no slot to lose", latest=True),)

    @staticmethod
    def _read_down(interval: Interval, account: Account) -> EffectEstimate:
        """Slots down, against the share of those that had not leaked."""
        s, pools = interval.state, list(account.targets.pools)
        total = s.pool[pools, k.TOTAL]
        share = np.minimum(interval.declared.down_share, 1.0)[pools]
        expected = np.minimum(np.rint(share * total), total - s.pool[pools, k.LEAKED])
        return EffectEstimate(float(s.pool[pools, k.DOWN].sum()), 0.0, float(expected.sum()))
