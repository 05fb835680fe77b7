"""Rule files of every shape that we could think of, for comparing readers; each a text or bytes."""

from __future__ import annotations

import json

RULE = """\
groups:
- name: g
  rules:
  - alert: A
    expr: up == 0
    labels: {x: 0042, y: ~, z: }
"""
_OTHER = RULE.replace("groups:\n", "").replace("name: g", "name: h")
_JSON = {
    "groups": [{"name": "g", "rules": [{"alert": "A", "expr": "up == 0", "labels": {"x": 1}}]}]
}
_RECORD = "groups:\n- name: g\n  rules:\n  - record: a\n    expr: up\n"
_LABELS = "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: up\n    labels: &l {s: p}\n"


def _label(text: str) -> str:
    return RULE.replace("0042", text)


def _expr(text: str) -> str:
    return RULE.replace("up == 0", text)


def _group(text: str) -> str:
    return RULE.replace("  rules", f"  {text}\n  rules")


SHAPES: dict[str, str | bytes] = {
    "plain": RULE,
    "byte order mark": "\ufeff" + RULE,
    "line ends of Windows": RULE.replace("\n", "\r\n"),
    "UTF-16": RULE.encode("utf-16"),
    "Latin 1": _label("caf\xe9").encode("latin1"),
    "empty": "",
    "comments only": "# nothing\n# here\n",
    "empty mapping": "{}\n",
    "groups nothing": "groups:\n",
    "groups null": "groups: null\n",
    "groups empty": "groups: []\n",
    "groups a mapping": "groups: {}\n",
    "group nothing": "groups:\n-\n",
    "group a word": "groups:\n- hello\n",
    "rules nothing": "groups:\n- name: g\n  rules:\n",
    "rules left out": "groups:\n- name: g\n",
    "rules empty": "groups:\n- name: g\n  rules: []\n",
    "rules a mapping": "groups:\n- name: g\n  rules: {}\n",
    "rule nothing": "groups:\n- name: g\n  rules:\n  -\n",
    "rule nothing before one": RULE.replace("  - alert", "  -\n  - alert"),
    "top a list": "- name: g\n",
    "top a word": "hello\n",
    "two documents": RULE + "---\n" + RULE,
    "second document broken": RULE + "---\nfoo: [\n",
    "second document other": RULE + "---\nfoo: bar\n",
    "document start": "---\n" + RULE,
    "document end": RULE + "...\n",
    "first document empty": "---\n---\n" + RULE,
    "YAML 1.1": "%YAML 1.1\n---\n" + RULE,
    "YAML 1.2": "%YAML 1.2\n---\n" + RULE,
    "tabs in flow": '{"groups":\n\t[{"name": "g",\n\t"rules": [{"alert":"A",\t"expr":"up"}]}]}',
    "tab after value": _expr("up == 0\t"),
    "tab as indentation": RULE.replace("    expr", "\texpr"),
    "JSON": json.dumps(_JSON),
    "JSON with tabs": json.dumps(_JSON, indent="\t"),
    "JSON with surrogates": json.dumps(_JSON).replace('"A"', '"A\\ud83d\\ude00"'),
    "JSON with an escaped slash": json.dumps(_JSON).replace('"A"', '"A\\/B"'),
    "own top key": "x-common: &c {severity: page}\n" + RULE,
    "anchor": _LABELS + "  - alert: B\n    expr: up\n    labels: {<<: *l, t: q}\n",
    "merged rule": RULE.replace("- alert", "- &r\n    alert") + "  - <<: *r\n    alert: B\n",
    "merged list": _LABELS
    + "  - alert: B\n    expr: up\n    labels: &m {s: z, u: v}\n"
    + "  - alert: C\n    expr: up\n    labels: {<<: [*l, *m], t: q}\n",
    "alias of itself": "groups: &a\n- name: g\n  rules: *a\n",
    "alias unknown": _label("*nope"),
    "key twice": RULE + "    expr: up\n",
    "label twice": RULE.replace("x: 0042", "x: 1, x: 2"),
    "groups twice": RULE + RULE,
    "block scalars": _expr("|-\n      up\n        == 0")
    + "    annotations:\n      s: >-\n        a\n        b\n\n        c\n"
    + "      t: |+\n        d\n\n",
    "many lines plain": _expr("up\n      == 0"),
    "many lines quoted": RULE + "    annotations:\n      s: 'a\n\n        b\n        c'\n",
    "hash in an expression": _expr("up == 0 #x"),
    "nothing of an expression": _expr(""),
    "expression a number": _expr("1"),
    "expression true": _expr("true"),
    "expression a list": _expr("[up]"),
    "expression of another time": _expr("holt_winters(up[5m], 0.5, 0.5)"),
    "expression with a quoted name": _expr("'{\"a.b\"} == 0'"),
    "expression broken": _expr("sum(up"),
    "backticks": _expr("up{job=~`a\\d+`}"),
    "quoted key": RULE.replace("expr", '"expr"'),
    "key of other letters": RULE.replace("alert", "Alert"),
    "question mark": "? groups\n: []\n",
    **{
        f"label {text}": _label(text)
        for text in (
            *("!!str 0042", "!own 0042", "!!binary aGVsbG8=", '!!int "12"', "yes", "2026-01-05"),
            *("12:30:45", ".inf", "0o17", "1_000.5", "123456789012345678901234567890", "[a]"),
            *("{a: b}", '"\\u00e9\\x41\\U0001F600"', "a\u00a0b", "a\x07b", '"a\u2028b"', "50%"),
            *("@x", "`x`", "a:b", "*x", "😀", "'it''s'", "1.10", "1e3", "True", "0x1F", "null"),
            *('""', "'null'", "- a", "a b  c ", '"a\\tb"', "''"),
        )
    },
    "label of a number": RULE.replace("x: 0042", "12: b"),
    "label with a dash": RULE.replace("x: 0042", "a-b: c"),
    "label __name__": RULE.replace("x: 0042", "__name__: c"),
    "label alertname": RULE.replace("x: 0042", "alertname: c"),
    "label nothing": RULE.replace("x: 0042", "~: a"),
    "label a list": RULE.replace("x: 0042", "[a]: b"),
    "annotation with a dash": RULE + "    annotations: {a-b: c}\n",
    "annotation a number": RULE + "    annotations: {a: 1.10}\n",
    "annotation nothing": RULE + "    annotations: {a: }\n",
    "annotations nothing": RULE + "    annotations:\n",
    "template broken": RULE + "    annotations: {a: '{{ $lables.x }}'}\n",
    "template unclosed": _label('"{{ $value"'),
    "template function": _label('"{{ $value | humanizePercent }}"'),
    "alert a number": RULE.replace("alert: A", "alert: 12"),
    "alert nothing": RULE.replace("alert: A", "alert:"),
    "alert of words": RULE.replace("alert: A", "alert: A b c"),
    "both": RULE.replace("alert: A", "alert: A\n    record: b"),
    "alert beside an empty record": RULE.replace("alert: A", 'alert: A\n    record: ""'),
    "record for": _RECORD + "    for: 5m\n",
    "record for nothing": _RECORD + "    for: 0s\n    keep_firing_for:\n",
    "record with annotations": _RECORD + "    annotations: {a: b}\n",
    "record with a dash": _RECORD.replace("record: a", "record: a-b"),
    "record with a template": _RECORD + '    labels: {x: "{{ bad"}\n',
    **{
        f"for {text}": RULE + f"    for: {text}\n"
        for text in (
            "5",
            "0",
            "",
            "''",
            "05m",
            "1.5m",
            "-5m",
            "1d12h",
            "12h1d",
            "[5m]",
            "90s",
            "1y",
        )
    },
    "keep_firing_for": RULE + "    keep_firing_for: 5m\n",
    **{
        f"group {text}": _group(text)
        for text in (
            *("interval: 0s", "interval: 30", "interval: 1m30s", "limit: 10", "limit: -1"),
            *('limit: "10"', "limit: 0x10", "limit: 1.0", "limit: 1_0", "limit: 010", "limit:"),
            *("source_tenants: [a]", "partial_response_strategy: warn", "other: 1"),
        )
    },
    "group without a name": "groups:\n- rules:\n  - alert: A\n    expr: up\n",
    "group of an empty name": RULE.replace("name: g", 'name: ""'),
    "group of a number": RULE.replace("name: g", "name: 12"),
    "group twice": RULE + RULE.replace("groups:\n", ""),
    "two groups": RULE + _OTHER,
    "rule twice": RULE + "  - alert: A\n    expr: up == 0\n    labels: {x: 0042}\n",
}
NEWER = {
    "query_offset": _group("query_offset: 30s"),
    "labels of a group": _group("labels: {a: b, x: c}"),
}
"""What Prometheus 2.42 refuses and is judged all the same."""


def content(shape: str | bytes) -> bytes:
    """Return a shape as it stands in a file."""
    return shape if isinstance(shape, bytes) else shape.encode("utf-8", "surrogatepass")
