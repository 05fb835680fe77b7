"""What a rule did over a history, counted while it goes by, and the first of its episodes.

Filled slice after slice by the replay. Counts are of everything; of the episodes themselves so many
are kept as `EPISODES_MAX` says, so that memory stays in bounds however often a rule flaps.
Times are seconds from the start of the replay.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from verifier.evaluation.timeline import Episode, Timeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from verifier.evaluation.rule_run import StateCounts
    from verifier.labels import Labels

EPISODES_MAX: Final = 10_000
"""Episodes of one rule that are kept, and alerts of which the last end is remembered."""
FLAP_S: Final = 900.0
"""An alert that fires again within a quarter of an hour pages the same person twice."""


@dataclass(slots=True)
class Noise:
    """The counts of one rule: evaluations by its state, and its episodes by what they came to.

    `firings` are episodes that fired, `only_pending` those that never did. `flaps` are firings that
    began within `FLAP_S` of the last end of the same alert. `longest_s` is of one firing.
    """

    evaluations: int = 0
    pending: int = 0
    firing: int = 0
    firings: int = 0
    only_pending: int = 0
    flaps: int = 0
    longest_s: float = 0.0
    firing_s: float = 0.0
    not_kept: int = 0

    def share(self, count: int) -> float:
        """Return a count of evaluations as their share, 0..1."""
        return count / self.evaluations if self.evaluations else 0.0


@dataclass(slots=True)
class RuleRecord:
    """The counts and the episodes of one rule over a replay that lasts `duration_s`."""

    duration_s: float
    noise: Noise = field(default_factory=Noise)
    episodes: dict[Labels, list[Episode]] = field(default_factory=dict)
    _ends: dict[Labels, float] = field(default_factory=dict)
    _kept: int = 0

    def count_states(self, counts: StateCounts) -> None:
        """Count the states of some evaluations."""
        self.noise.evaluations += counts.of
        self.noise.pending += counts.pending
        self.noise.firing += counts.firing

    def add(self, ended: Mapping[Labels, Sequence[Episode]]) -> None:
        """Count episodes, each alert's in order; what was over before the start is left out."""
        for labels, episodes in ended.items():
            for episode in episodes:
                if episode.resolved_s is None or episode.resolved_s > 0:
                    self._add(labels, episode)

    def timelines(self, alert: str) -> tuple[Timeline, ...]:
        """Return the episodes that were kept, as timelines."""
        return tuple(Timeline(alert, labels, tuple(own)) for labels, own in self.episodes.items())

    def _add(self, labels: Labels, episode: Episode) -> None:
        noise = self.noise
        if episode.firing_s is None:
            noise.only_pending += 1
        else:
            noise.firings += 1
            end_s = self.duration_s if episode.resolved_s is None else episode.resolved_s
            lasted_s = end_s - max(episode.firing_s, 0.0)
            noise.longest_s = max(noise.longest_s, lasted_s)
            noise.firing_s += lasted_s
            last_s = self._ends.get(labels)
            if last_s is not None and episode.firing_s - last_s <= FLAP_S:
                noise.flaps += 1
            if last_s is not None or len(self._ends) < EPISODES_MAX:
                self._ends[labels] = end_s
        if self._kept < EPISODES_MAX:
            self._kept += 1
            self.episodes.setdefault(labels, []).append(episode)
        else:
            noise.not_kept += 1

    def saved(self) -> dict[str, Any]:
        """Return all of it as a JSON value, for a later `restored`."""
        return {
            "noise": asdict(self.noise),
            "episodes": [
                [labels, [[each.pending_s, each.firing_s, each.resolved_s] for each in own]]
                for labels, own in self.episodes.items()
            ],
            "ends": [[labels, end_s] for labels, end_s in self._ends.items()],
        }

    @classmethod
    def restored(cls, duration_s: float, saved: Mapping[str, Any]) -> RuleRecord:
        """Return what `saved` says; raises KeyError, TypeError or ValueError for anything else."""
        episodes = {
            labels_of(pairs): [Episode(*times) for times in own] for pairs, own in saved["episodes"]
        }
        return cls(
            duration_s,
            Noise(**saved["noise"]),
            episodes,
            {labels_of(pairs): float(end_s) for pairs, end_s in saved["ends"]},
            sum(map(len, episodes.values())),
        )


def labels_of(pairs: Iterable[Sequence[str]]) -> Labels:
    """Return labels that were written as a list of lists."""
    return tuple((str(name), str(text)) for name, text in pairs)
