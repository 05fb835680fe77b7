"""What draws the charts: one script of several modules, and the library where it is."""

import re
from collections import Counter

from charts import assets

DEFINED = re.compile(r"^(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)


def test_a_bundle_has_each_module_once_imports_first(tmp_path, monkeypatch):
    """No import and no export is left in it."""
    monkeypatch.setattr(assets, "STATIC", tmp_path)
    (tmp_path / "a.js").write_text(
        'import { b } from "./b.js";\nimport { c } from "./c.js";\nb(c);\n'
    )
    (tmp_path / "b.js").write_text('import { c } from "./c.js";\nexport function b() { c; }\n')
    (tmp_path / "c.js").write_text("export const c = 1;\n")
    text = assets.bundle("a.js")
    assert text.split() == ["const", "c", "=", "1;", "function", "b()", "{", "c;", "}", "b(c);"]


def test_our_own_modules_become_one_script():
    """As they are in the report."""
    text = assets.bundle("axis.js")
    assert "import {" not in text
    assert "export " not in text
    assert "class ChartView" in text


def defined_twice(script: str) -> list[str]:
    """Return the names that a script defines more than once at its top."""
    counts = Counter(DEFINED.findall(script))
    return sorted(name for name, times in counts.items() if times > 1)


def test_no_two_modules_of_the_report_define_the_same_name():
    """They share one scope there, in which the later of two functions would silently win."""
    script = assets.bundle("report.js")
    assert len(DEFINED.findall(script)) > 50
    assert defined_twice(script) == []


def test_a_planted_name_of_two_modules_is_noticed(tmp_path, monkeypatch):
    """A function and a constant; what is defined inside another function is its own."""
    monkeypatch.setattr(assets, "STATIC", tmp_path)
    (tmp_path / "a.js").write_text(
        'import { b } from "./b.js";\nfunction short() {\n  const inner = 1;\n}\nconst c = b;\n'
    )
    (tmp_path / "b.js").write_text(
        "function short() {\n  const inner = 2;\n}\nexport const b = 1;\nexport function c() {}\n"
    )
    assert defined_twice(assets.bundle("a.js")) == ["c", "short"]


def test_without_the_library_there_is_none(tmp_path, monkeypatch):
    """Both files are needed."""
    monkeypatch.setattr(assets, "LIBRARY", tmp_path / "none.js")
    assert assets.library() is None
