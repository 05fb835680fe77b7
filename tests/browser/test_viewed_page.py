"""What the fixture shows of a page: a quiet file is quiet, and each planted complaint is heard."""

import pytest

from tests.browser.viewed_page import ViewedPage

QUIET = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Quiet</title></head>
<body><main><h1>Nothing to report</h1></main><script>document.title += " page"</script></body>
</html>
"""


@pytest.fixture
def show(view, tmp_path):
    """Return what writes a page into a file, opens it, and returns it viewed."""

    def write(body: str, page: ViewedPage = view) -> ViewedPage:
        file = tmp_path / "page.html"
        file.write_text(QUIET.replace("</main>", f"</main>{body}"), encoding="utf-8")
        page.open_file(file)
        return page

    return write


def test_a_quiet_file_opens_runs_its_script_and_complains_of_nothing(show):
    """No console error, no request, content on the screen, no fault of accessibility."""
    page = show("")
    assert page.page.title() == "Quiet page"
    assert (page.console, page.requests, page.failed) == ([], [], [])
    assert 0 < page.first_content_s() < 10
    assert page.accessibility_faults() == []


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("console.error('planted')", "error: planted"),
        ("console.warn('planted')", "warning: planted"),
        ("undefinedName()", "thrown: undefinedName is not defined"),
    ],
)
def test_a_planted_complaint_of_the_console_is_recorded(show, script, complaint):
    """Written or thrown; what is only logged is none."""
    page = show(f"<script>console.log('fine'); {script}</script>")
    assert page.console == [complaint]


def test_what_tab_does_not_reach_is_missing(show):
    """Planted: one of three links cannot be reached by the keyboard."""
    links = '<a href="#a">first</a><a href="#b" tabindex="-1">second</a><a href="#c">third</a>'
    page = show(f"<nav>{links}</nav>")
    assert page.tab_through("nav a", 4)[:2] == ["first", "third"]


def test_a_planted_request_is_recorded(show, tmp_path):
    """A file beside the page counts as much as a server, answered or not; data in it does not."""
    (tmp_path / "there.css").write_text("h1 { color: black }")
    page = show(
        '<link rel="stylesheet" href="there.css"><img alt="" src="absent.png">'
        '<img alt="" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">'
    )
    assert [url.rpartition("/")[2] for url in page.requests] == ["there.css", "absent.png"]
    assert [url.rpartition("/")[2] for url in page.failed] == ["absent.png"]


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<img src='data:,'>", "image-alt (critical): img"),
        ("<button></button>", "button-name (critical): button"),
        ("<p style='color: #ccc; background: #fff'>pale</p>", "color-contrast (serious): p"),
    ],
)
def test_a_planted_fault_of_accessibility_is_reported(show, body, fault):
    """Its rule, how grave it is, and where it stands."""
    assert show(body).accessibility_faults() == [fault]


def test_a_page_that_paints_nothing_has_no_first_content(show, view):
    """Such a page must not pass as a fast one."""
    page = show("<style>body { display: none }</style>")
    with pytest.raises(AssertionError, match="nothing was painted"):
        page.first_content_s(patience_s=0.5)
    assert page is view


def test_a_page_without_java_script_runs_none(open_page, show):
    """The options of a context reach the page."""
    page = show("", open_page(java_script_enabled=False))
    assert page.page.title() == "Quiet"
