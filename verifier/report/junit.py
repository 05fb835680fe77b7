"""A run as JUnit XML: a suite for each scenario, a case for each alert and each panel query.

Called by the front door for `junit.xml`, which CI systems read. A scenario that could not be judged
is an error, an expectation that fails is a failure; its type is the hop that broke.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.judge.verdict import AlertVerdict, ClockDifference, ScenarioOutcome

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(outcomes: Sequence[ScenarioOutcome]) -> str:
    """Return the XML document."""
    root = Element("testsuites", name="agentaskit-sim verify")
    for outcome in outcomes:
        _suite(root, outcome)
    for key in ("tests", "failures", "errors"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    root.set("time", f"{sum(outcome.wall_s for outcome in outcomes):.3f}")
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, outcome: ScenarioOutcome) -> None:
    suite = SubElement(root, "testsuite", name=outcome.name, time=f"{outcome.wall_s:.3f}")
    properties = SubElement(suite, "properties")
    for name, value in (
        ("seed", outcome.seed),
        ("engine", f"{outcome.engine.name} {outcome.engine.version}"),
        ("verdict", outcome.verdict),
        ("clock", outcome.clock),
        ("compress", f"{outcome.compress:g}"),
        *(("note", note) for note in outcome.notes),
    ):
        SubElement(properties, "property", name=name, value=_clean(str(value)))
    for reason in outcome.invalid:
        case = SubElement(suite, "testcase", classname=outcome.name, name="can be judged")
        SubElement(case, "error", message=_clean(reason))
    for alert in outcome.alerts:
        failure = "" if alert.ok else alert.reason
        name = f"{_alert_name(alert)} {alert.expected}"
        _case(suite, outcome.name, name, failure, hop=alert.broke_at)
    for panel in outcome.panels:
        name = f"{panel.dashboard} / {panel.panel}: {panel.query}"
        _case(suite, outcome.name, name, "" if panel.ok else panel.reason)
    for difference in outcome.clocks or ():
        transition = f"{difference.transition} {difference.episode}"
        name = f"{_alert_name(difference)} {transition} on both clocks"
        _case(suite, outcome.name, name, "" if difference.ok else difference.reason)
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))


def _case(
    suite: Element, classname: str, name: str, failure: str, *, hop: str | None = None
) -> None:
    case = SubElement(suite, "testcase", classname=classname, name=_clean(name))
    if failure:
        element = SubElement(case, "failure", message=_clean(failure))
        if hop is not None:
            element.set("type", hop)


def _alert_name(alert: AlertVerdict | ClockDifference) -> str:
    labels = ",".join(f'{name}="{value}"' for name, value in alert.labels)
    return f"{alert.alert}{{{labels}}}"


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
