"""The chart library: fetched once, pinned, refused when it is another, and said when offline."""

import http.server
import importlib.util
import io
import subprocess
import sys
import tarfile
import threading

import pytest


@pytest.fixture
def script(repository):
    """Return tools/chart_library.py as a module."""
    path = repository / "tools" / "chart_library.py"
    spec = importlib.util.spec_from_file_location("chart_library", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def registry(script, monkeypatch):
    """Serve an archive as a registry does, pinned by its own sum; yield the module and requests."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in script.FILES:
            info = tarfile.TarInfo(name)
            info.size = len(name)
            archive.addfile(info, io.BytesIO(name.encode()))
    requests = []

    class ArchiveHandler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(packed.getvalue())

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), ArchiveHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    digest = script.hashlib.sha512(packed.getvalue()).hexdigest()
    monkeypatch.setattr(script, "ARCHIVE_SHA512", digest)
    yield {"npm_config_registry": f"http://127.0.0.1:{server.server_port}/npm/"}, requests
    server.shutdown()
    server.server_close()


def test_it_is_fetched_once(script, registry, tmp_path):
    """From the registry that the environment names; a file that is missing is fetched again."""
    environment, requests = registry
    vendor = tmp_path / "vendor"
    assert script.ensure(vendor, environment)
    assert not script.ensure(vendor, environment)
    assert requests == [f"/npm/uplot/-/uplot-{script.VERSION}.tgz"]
    assert (vendor / "LICENSE").read_text() == "package/LICENSE"
    (vendor / "LICENSE").unlink()
    assert script.ensure(vendor, environment)
    assert len(requests) == 2


def test_another_archive_is_refused_and_leaves_nothing(script, registry, tmp_path, monkeypatch):
    """Its sum is said."""
    monkeypatch.setattr(script, "ARCHIVE_SHA512", "0" * 128)
    with pytest.raises(script.RefusedError, match=r"is not the pinned uPlot .* its sha512 is"):
        script.ensure(tmp_path / "vendor", registry[0])
    assert not (tmp_path / "vendor").exists()


def test_offline_is_said_plainly_and_is_no_error_of_the_set_up(tmp_path, repository):
    """Unless a wheel is built, which must have it."""
    environment = {"npm_config_registry": "http://127.0.0.1:9"}
    copy = tmp_path / "tools" / "chart_library.py"
    copy.parent.mkdir()
    copy.write_text((repository / "tools" / "chart_library.py").read_text())
    for strict, status in (([], 0), (["--strict"], 3)):
        done = subprocess.run(
            [sys.executable, str(copy), *strict],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == status
        assert "cannot be fetched from http://127.0.0.1:9/uplot/" in done.stderr
        assert "draw no charts" in done.stderr


def test_without_a_word_it_is_npms_own(script):
    """A registry that is set to nothing is none."""
    url = f"{script.REGISTRY}/uplot/-/uplot-{script.VERSION}.tgz"
    assert (
        script.address(script.PATH, {})
        == script.address(script.PATH, {"npm_config_registry": " "})
        == url
    )
