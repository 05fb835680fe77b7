"""Routes that no alert of the rules reaches, and what else a routing hides, as findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.check.findings.finding import CheckFinding
from verifier.pack.routes.route_findings import unmet_routes, unreached_routes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verifier.pack.routes.routing import Routing
    from verifier.pack.rules import RuleFiles


def routing_findings(routing: Routing, rules: RuleFiles) -> Iterator[CheckFinding]:
    """Yield every finding of a routing; of a route that no alert reaches by its own id."""
    unreached = [*unreached_routes(routing.root), *unmet_routes(routing.root, rules)]
    for finding in unreached:
        yield CheckFinding("unreachable-route", finding.position, "routing", finding.message)
    for finding in routing.findings:
        if finding not in unreached:
            yield CheckFinding("routing", finding.position, "routing", finding.message)
