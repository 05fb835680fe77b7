"""What draws the charts: one script of several modules, and the library where it is."""

from charts import assets


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


def test_without_the_library_there_is_none(tmp_path, monkeypatch):
    """Both files are needed."""
    monkeypatch.setattr(assets, "LIBRARY", tmp_path / "none.js")
    assert assets.library() is None
