"""The page of a real node_exporter, and rules and a board shaped as its users have them.

Where the program is installed its own page is taken; a short page in its words stands for it else.
What that page does not have by chance (a disk array, a battery) is empty, not misspelt.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.request

import pytest

from tests.verifier.check.packs import alert, findings, page

PROGRAM = shutil.which("prometheus-node-exporter") or shutil.which("node_exporter")
SHORT = """\
# TYPE node_cpu_seconds_total counter
node_cpu_seconds_total{cpu="0",mode="idle"} 10
node_cpu_seconds_total{cpu="0",mode="iowait"} 1
node_cpu_seconds_total{cpu="0",mode="user"} 1
# TYPE node_memory_MemAvailable_bytes gauge
node_memory_MemAvailable_bytes 1
# TYPE node_memory_MemTotal_bytes gauge
node_memory_MemTotal_bytes 2
# TYPE node_filesystem_avail_bytes gauge
node_filesystem_avail_bytes{device="/dev/a",fstype="ext4",mountpoint="/"} 1
# TYPE node_filesystem_size_bytes gauge
node_filesystem_size_bytes{device="/dev/a",fstype="ext4",mountpoint="/"} 2
# TYPE node_scrape_collector_success gauge
node_scrape_collector_success{collector="cpu"} 1
# TYPE node_load1 gauge
node_load1 1
# TYPE node_uname_info gauge
node_uname_info{machine="m",nodename="n",release="6",sysname="Linux"} 1
# TYPE node_disk_io_time_seconds_total counter
# TYPE node_network_receive_errs_total counter
"""
IDLE = 'rate(node_cpu_seconds_total{mode="idle"}[5m])'
FREE = "node_filesystem_avail_bytes / node_filesystem_size_bytes"


@pytest.fixture(scope="module")
def served():
    """Return the text of the page of a node_exporter of our own on loopback."""
    if PROGRAM is None:
        pytest.skip("NODE_EXPORTER: none on PATH; its short page is checked, the real one is not")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    process = subprocess.Popen(
        [PROGRAM, f"--web.listen-address={address}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(100):
            try:
                with urllib.request.urlopen(f"http://{address}/metrics") as answer:
                    return answer.read().decode()
            except OSError:
                time.sleep(0.05)
        pytest.fail("the node_exporter never answered")
    finally:
        process.kill()
        process.wait()


def named(folder, text, *exprs, panels=()):
    """Return (id, subject) of what is said of the names of some alerts and panels."""
    rules = [alert(expr, alert=f"A{number}") for number, expr in enumerate(exprs)]
    kinds = ("phantom", "empty", "near", "mismatched", "many", "rate-of", "raw-")
    listed = findings(folder, rules=rules, panels=panels, exports=page(text))
    return {(each.id, each.subject) for each in listed if each.id.startswith(kinds)}


def check_names(folder, text):
    """Hold what users have against a page: what is there, what is not, what is misspelt."""
    right = [
        f"100 * (1 - avg by (instance) ({IDLE})) > 90",
        f'{FREE} < 0.1 and node_filesystem_avail_bytes{{fstype!=""}} > 0',
        "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes > 0.9",
        'node_load1 / count without (cpu, mode) (node_cpu_seconds_total{mode="idle"}) > 2',
        "node_scrape_collector_success == 0",
        f"{FREE} * on (instance) group_left (nodename) node_uname_info < 0.05",
        'up{job="node"} == 0',
    ]
    panels = [f"sum by (mode) ({IDLE})", "node_load1", FREE]
    assert named(folder, text, *right, panels=panels) == set()
    wrong = [
        'rate(node_cpu{mode="idle"}[5m]) > 1',  # the name of years ago
        'rate(node_cpu_seconds_total{mode="idel"}[5m]) > 1',
        'rate(node_cpu_seconds_total{core="0"}[5m]) > 1',
        "node_memory_MemAvailable / node_memory_MemTotal < 0.1",
        "rate(node_load1[5m]) > 1",
        "node_load1 / node_cpu_seconds_total > 1",
        'node_scrape_collector_success{collector="zfs_of_mine"} == 0',
        'node_filesystem_avail_bytes{mountpoint="/srv/data"} < 1e9',
    ]
    assert named(folder, text, *wrong, panels=["node_boot_time"]) == {
        ("phantom-metric", "alert A0"),
        ("near-label-value", "alert A1"),
        ("phantom-label", "alert A2"),
        ("phantom-metric", "alert A3"),
        ("rate-of-gauge", "alert A4"),
        ("raw-counter", "alert A5"),
        ("mismatched-labels", "alert A5"),
        ("empty-child", "alert A6"),
        ("empty-child", "alert A7"),
        ("phantom-metric", "panel B / P0"),
    }


def test_a_short_page_tells_phantom_from_empty(tmp_path):
    """With families that have a type and no series, as exporters in other languages write them."""
    check_names(tmp_path, SHORT)
    assert named(
        tmp_path,
        SHORT,
        "rate(node_disk_io_time_seconds_total[5m]) > 0.9",
        "rate(node_network_receive_errs_totl[5m]) > 0",
    ) == {("empty-metric", "alert A0"), ("phantom-metric", "alert A1")}


def test_the_page_of_a_real_node_exporter_tells_them_apart_too(tmp_path, served):
    """Hundreds of families, of this machine."""
    assert served.count("\n# TYPE node_") > 50
    check_names(tmp_path, served)
