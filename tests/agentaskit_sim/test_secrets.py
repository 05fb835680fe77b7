"""No secret reaches output, pages, results, or a process's command line or environment."""

from __future__ import annotations

import stat
import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from agentaskit_sim.fault_client import FaultClient
from documents.mistakes import InputError
from tests.agentaskit_sim.leaks import SECRETS, files_below, find_leaks, seen_of_processes
from tests.agentaskit_sim.processes import Running, assert_nothing_is_left, at_work
from verifier.servers.foreign_server import ForeignServer

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
PLANTED = {
    "AWS_SECRET_ACCESS_KEY": SECRETS["cloud"],
    "HTTPS_PROXY": f"http://user:{SECRETS['proxy']}@127.0.0.1:1",
    "http_proxy": f"http://user:{SECRETS['proxy']}@127.0.0.1:1",
}
SMALL = "name: small\nstory: x\nseed: 42\nduration: 1h\nload: {rate: 300}\n"
ROUTING = f"""global:
  smtp_smarthost: localhost:25
  smtp_from: a@example.org
  smtp_auth_password: {SECRETS["password"]}
route: {{receiver: the-team}}
receivers:
- name: the-team
  slack_configs: [{{api_url: "http://nowhere.invalid/{SECRETS["webhook"]}"}}]
  webhook_configs:
  - url: http://nowhere.invalid/{SECRETS["webhook"]}
    http_config: {{basic_auth: {{username: u, password: {SECRETS["password"]}}}}}
  email_configs: [{{to: b@example.org}}]
"""
RULES = """groups:
- name: g
  rules: [{alert: Never, expr: "agentaskit_queue_depth > 1e9", labels: {severity: page}}]
"""


def pages_of(world):
    """Return what the world's server says, by path; a refused change is among it."""
    token = {"Authorization": "Bearer wrong", "Content-Type": "application/json"}
    requests = [("GET", path) for path in ("/metrics", "/", "/api/v1/faults", "/sd/targets")]
    pages = {}
    for method, path in (*requests, ("POST", "/api/v1/faults")):
        connection = HTTPConnection(urlsplit(world).netloc, timeout=10)
        connection.request(method, path, b"{}" if method == "POST" else None, token)
        pages[path] = connection.getresponse().read().decode()
        connection.close()
    return pages


@pytest.mark.ci
@linux
def test_up_shows_no_secret_to_anybody(tmp_path):
    """Token, webhook, passwords, and variables of the shell: neither printed nor passed on."""
    (temporary := tmp_path / "temporary").mkdir()
    (token := tmp_path / "token").write_text(SECRETS["token"])
    for name, text in (("small.yaml", SMALL), ("routing.yml", ROUTING), ("rules.yml", RULES)):
        (tmp_path / name).write_text(text)
    up = Running(
        *("up", tmp_path / "small.yaml", "--port", "0", "--rules", tmp_path / "rules.yml"),
        *("--routing", tmp_path / "routing.yml", "--token-file", token),
        **{"TMPDIR": str(temporary), **PLANTED},
    )
    try:
        world = up.wait_for(r"^World: +(http://\S+)").group(1)
        up.wait_for("Press Ctrl-C")
        children = at_work(temporary)
        assert len(children) >= 6  # Prometheus, Alertmanager, receiver, and the guard of each
        texts = seen_of_processes(children) | seen_of_processes([up.process.pid], ["cmdline"])
        assert any("PATH=" in text for text in texts.values())
        assert find_leaks(texts | pages_of(world) | files_below(temporary)) == []
        folders = [path for path in temporary.iterdir() if path.is_dir()]
        assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
    finally:
        up.end(2)
    assert find_leaks({"output": "".join(up.lines)}) == []
    assert_nothing_is_left(temporary)


@pytest.mark.parametrize("userinfo", [f"me:{SECRETS['password']}", SECRETS["token"]])
def test_a_url_with_a_password_is_refused_without_it(userinfo):
    """It is in the list of processes already; it is not printed as well."""
    url = f"http://{userinfo}@127.0.0.1:1"
    for make in (lambda: ForeignServer("Prometheus", url), lambda: FaultClient(url)):
        with pytest.raises((ValueError, InputError), match="without a user name") as caught:
            make()
        assert find_leaks({"message": str(caught.value)}) == []


def test_a_mistake_in_a_routing_repeats_no_secret_of_it(command, tmp_path):
    """Neither in our own words nor in Alertmanager's."""
    (tmp_path / "routing.yml").write_text(ROUTING.replace("route:", "rout:"))
    (tmp_path / "rules.yml").write_text(RULES)
    run = command("verify", "--live", "--rules", "rules.yml", "--routing", "routing.yml")
    assert run.status == 2
    assert "routing.yml:5:1: unknown key 'rout'" in run.err
    assert find_leaks({"output": run.out + run.err, **files_below(tmp_path)}) == [
        f"{tmp_path}/routing.yml: password",
        f"{tmp_path}/routing.yml: webhook",
    ]


@pytest.mark.parametrize(("kind", "secret"), SECRETS.items())
def test_a_planted_leak_is_found(kind, secret):
    """In the middle of a line as well as by itself."""
    assert find_leaks({"log": f"level=info url=http://x/{secret}?a=b"}) == [f"log: {kind}"]
