"""The script that finds or installs Prometheus, run with stand-ins for every program it calls."""

import hashlib
import io
import shutil
import subprocess
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PLAIN = (
    "awk", "basename", "cat", "chmod", "cut", "dirname", "env", "head", "mkdir", "mktemp", "mv",
    "rm", "sed", "sh", "sha256sum", "tar", "gzip", "cp", "tee",
)  # fmt: skip
PROGRAMS = ("prometheus", "promtool", "alertmanager", "amtool")


def program(name: str, version: str) -> str:
    """Return a script that states a version as the real program does."""
    return f"#!/bin/sh\necho '{name}, version {version} (branch: HEAD)' >&2\n"


@dataclass
class Machine:
    """A copy of the tools, a PATH of stand-in programs only, and a log of their calls."""

    root: Path
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        """Lay out the folders."""
        self.log = self.root / "log"
        self.log.touch()
        self.path = self.root / "path"
        self.path.mkdir()
        self.tools = self.root / "project" / ".tools"
        self.policy = self.root / "policy-rc.d"
        self.systemd = self.root / "run-systemd"
        self.script = self.root / "project" / "tools" / "install-prometheus.sh"
        self.edit(("/usr/sbin/policy-rc.d", str(self.policy)))
        self.edit(("/run/systemd/system", str(self.systemd)))
        for name in PLAIN:
            (self.path / name).symlink_to(shutil.which(name))

    def edit(self, *replacements: tuple[str, str]) -> None:
        """Replace text that must be in the script."""
        text = self.script.read_text()
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        self.script.write_text(text)

    def put(self, name: str, script: str) -> None:
        """Put a program on PATH."""
        target = self.path / name
        target.unlink(missing_ok=True)
        target.write_text(script)
        target.chmod(0o755)

    def has(self, **versions: str) -> None:
        """Put programs on PATH that state a version."""
        for name, version in versions.items():
            self.put(name.replace("_", "-"), program(name.removeprefix("prometheus_"), version))

    def is_a(self, system: str, architecture: str, user: int = 1000) -> None:
        """Set the operating system, the architecture and the user id."""
        self.put("uname", f'#!/bin/sh\n[ "$1" = -s ] && echo {system} || echo {architecture}\n')
        self.put("id", f"#!/bin/sh\necho {user}\n")

    def has_apt(self, prometheus: str, alertmanager: str, status: int = 0) -> None:
        """Put an apt-get on PATH that offers these versions and installs the programs there."""
        debian = self.root / "debian"
        for package, version, names in (
            ("prometheus", prometheus, ("prometheus", "promtool")),
            ("prometheus-alertmanager", alertmanager, ("prometheus-alertmanager", "amtool")),
        ):
            folder = debian / package
            folder.mkdir(parents=True)
            (folder / "policy").write_text(f"  Candidate: 1:{version}\n")
            (folder / "bin").mkdir()
            for name in names:
                script = folder / "bin" / name
                script.write_text(program(name.removeprefix("prometheus-"), version))
                script.chmod(0o755)
        self.put("apt-cache", f'#!/bin/sh\ncat "{debian}/$2/policy"\n')
        self.put(
            "apt-get",
            f"""#!/bin/sh
echo "apt-get $*" >>{self.log}
[ -x {self.policy} ] && echo "services are forbidden" >>{self.log}
[ {status} = 0 ] || {{ echo E: broken; exit {status}; }}
[ "$1" = install ] || exit 0
for package in "$@"; do
    [ -d "{debian}/$package" ] && cp "{debian}/$package/bin/"* {self.path}/
done
exit 0
""",
        )

    def run(self) -> subprocess.CompletedProcess[str]:
        """Run the script as `make setup` does."""
        return subprocess.run(
            ["/bin/sh", str(self.script)],
            env={"PATH": str(self.path), "HOME": str(self.root)},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    @property
    def calls(self) -> list[str]:
        """The calls of stand-ins, in order."""
        return self.log.read_text().splitlines()


def names(folder: Path) -> list[str]:
    """Return the names in a folder, sorted."""
    return sorted(entry.name for entry in folder.iterdir())


@pytest.fixture
def machine(tmp_path, repository):
    """Return a machine without Prometheus, without a package manager, whose user is not root."""
    shutil.copytree(repository / "tools", tmp_path / "project" / "tools")
    machine = Machine(tmp_path)
    machine.is_a("Linux", "x86_64")
    return machine


def archive(name: str, version: str, platform: str, programs: tuple[str, str]) -> bytes:
    """Return a release archive as the project publishes them."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for file in programs:
            content = program(file, version).encode()
            entry = tarfile.TarInfo(f"{name}-{version}.{platform}/{file}")
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def offer_release(machine: Machine, platform: str, *, honest: bool = True) -> dict[str, str]:
    """Put a curl on PATH that serves both archives; return the checksums in their lists."""
    sums = {}
    served = machine.root / "served"
    for name, version, programs in (
        ("prometheus", "3.5.0", ("prometheus", "promtool")),
        ("alertmanager", "0.28.1", ("alertmanager", "amtool")),
    ):
        content = archive(name, version, platform, programs)
        listed = content if honest else b"something else"
        file = f"{name}-{version}.{platform}.tar.gz"
        sums[name] = hashlib.sha256(listed).hexdigest()
        folder = served / "prometheus" / name / "releases" / "download" / f"v{version}"
        folder.mkdir(parents=True)
        (folder / file).write_bytes(content)
        (folder / "sha256sums.txt").write_text(f"{'0' * 64}  other\n{sums[name]}  {file}\n")
    machine.put(
        "curl",
        f"""#!/bin/sh
echo "curl $*" >>{machine.log}
while [ $# -gt 1 ]; do [ "$1" = --output ] && out=$2; shift; done
cat "{served}/${{1#https://github.com/}}" >"$out"
""",
    )
    return sums


def test_recent_programs_on_path_are_left_as_they_are(machine):
    """Nothing is called or printed; Debian's name for Alertmanager counts."""
    machine.has(
        prometheus="2.42.0+ds", promtool="2.42.0", prometheus_alertmanager="0.25.0", amtool="0.25.0"
    )
    machine.has_apt("2.42.0", "0.25.0")
    result = machine.run()
    assert (result.returncode, result.stdout, machine.calls) == (0, "", [])


def test_debian_packages_are_installed_by_root_without_questions_or_recommendations(machine):
    """Package lists first, then both packages at once; apt's output is hidden if it succeeds."""
    machine.is_a("Linux", "x86_64", user=0)
    machine.has_apt("2.42.0+ds-5", "0.25.0-1")
    result = machine.run()
    assert result.returncode == 0, result.stderr
    update, install = machine.calls[:2]
    assert update == "apt-get update -qq"
    assert install.startswith("apt-get install -y -qq ")
    assert install.endswith(" --no-install-recommends prometheus prometheus-alertmanager")
    assert result.stdout == "setup: installing prometheus prometheus-alertmanager with apt-get\n"


def test_only_missing_packages_are_installed_with_sudo_for_a_user_who_is_not_root(machine):
    """A Prometheus of the user's own stays."""
    machine.has(prometheus="3.1.0", promtool="3.1.0")
    machine.has_apt("2.42.0", "0.25.0")
    machine.put(
        "sudo", f'#!/bin/sh\necho "sudo $*" >>{machine.log}\n[ "$1" = -n ] && shift\nexec "$@"\n'
    )
    machine.put("true", "#!/bin/sh\n")
    result = machine.run()
    assert result.returncode == 0, result.stderr
    installs = [call for call in machine.calls if call.startswith("apt-get install")]
    assert [call.split()[-2:] for call in installs] == [
        ["--no-install-recommends", "prometheus-alertmanager"]
    ]
    assert any(call.startswith("sudo env DEBIAN_FRONTEND=noninteractive") for call in machine.calls)


@pytest.mark.parametrize("booted", [True, False])
def test_no_installed_service_is_left_running(machine, booted):
    """A policy forbids starts while apt runs, and is removed; enabled services are disabled."""
    machine.is_a("Linux", "x86_64", user=0)
    machine.has_apt("2.42.0", "0.25.0")
    machine.put("systemctl", f'#!/bin/sh\necho "systemctl $*" >>{machine.log}\n')
    if booted:
        machine.systemd.mkdir()
    result = machine.run()
    assert result.returncode == 0, result.stderr
    assert machine.calls[-2 if booted else -1] == "services are forbidden"
    assert not machine.policy.exists()
    disabled = "systemctl disable --quiet --now prometheus prometheus-alertmanager"
    assert (disabled in machine.calls) == booted


def test_an_existing_policy_on_services_stays(machine):
    """Containers have one of their own."""
    machine.is_a("Linux", "x86_64", user=0)
    machine.has_apt("2.42.0", "0.25.0")
    machine.policy.write_text("their own")
    assert machine.run().returncode == 0
    assert machine.policy.read_text() == "their own"


def test_a_debian_too_old_gets_the_pinned_release_instead(machine):
    """Ubuntu 22.04 offers 2.31: it is not installed, the release is, by its pinned checksum."""
    machine.is_a("Linux", "x86_64", user=0)
    machine.has_apt("2.31.2+ds1", "0.23.0-4")
    sums = offer_release(machine, "linux-amd64")
    machine.edit(
        ("e811827af26d822afb09a4f28314f61b618b12cff5369835a67f674d8b46f39a", sums["prometheus"]),
        ("5ac7ab5e4b8ee5ce4d8fb0988f9cb275efcc3f181b4b408179fafee121693311", sums["alertmanager"]),
    )
    result = machine.run()
    assert result.returncode == 0, result.stderr
    assert not any("install" in call or "sha256sums" in call for call in machine.calls)
    assert names(machine.tools / "bin") == sorted(PROGRAMS)


def test_homebrew_installs_the_missing_packages(machine):
    """On macOS."""
    machine.is_a("Darwin", "arm64")
    machine.put(
        "brew",
        f"""#!/bin/sh
echo "brew $*" >>{machine.log}
case $3 in
    prometheus) names="prometheus promtool" version=3.5.0 ;;
    *) names="alertmanager amtool" version=0.28.1 ;;
esac
for name in $names; do
    printf '#!/bin/sh\\necho "%s, version %s"\\n' $name $version >{machine.path}/$name
    chmod 755 {machine.path}/$name
done
""",
    )
    assert machine.run().returncode == 0
    assert machine.calls == ["brew install --quiet prometheus", "brew install --quiet alertmanager"]


def test_without_a_package_manager_the_release_is_downloaded_checked_and_put_into_the_project(
    machine,
):
    """Over https only; a platform without a pinned checksum is checked by the release's list."""
    machine.is_a("Darwin", "arm64")
    offer_release(machine, "darwin-arm64")
    result = machine.run()
    assert result.returncode == 0, result.stderr
    assert names(machine.tools / "bin") == sorted(PROGRAMS)
    assert names(machine.tools) == ["bin"], "the downloads are removed"
    assert all("--proto =https" in call for call in machine.calls)
    assert result.stdout.count("sha256sums.txt") == 2
    assert machine.run().stdout == "", "a second run has nothing to do"


def test_an_archive_with_another_checksum_than_the_pinned_one_is_refused(machine):
    """Linux archives are pinned: the stand-in is not the real archive, so it must not pass."""
    offer_release(machine, "linux-amd64")
    result = machine.run()
    assert result.returncode == 3
    assert "prometheus-3.5.0.linux-amd64.tar.gz must have sha256 e811827af26d" in result.stderr
    assert "nothing was installed" in result.stderr
    assert names(machine.tools / "bin") == []


def test_an_archive_with_another_checksum_than_in_its_list_is_refused(machine):
    """The same where the checksum comes from the release."""
    machine.is_a("Darwin", "x86_64")
    offer_release(machine, "darwin-amd64", honest=False)
    result = machine.run()
    assert result.returncode == 3
    assert "prometheus-3.5.0.darwin-amd64.tar.gz must have sha256" in result.stderr


def test_where_no_installation_works_the_error_lists_what_to_do(machine):
    """No package manager, no curl: three ways to install by hand, and status 3."""
    result = machine.run()
    assert result.returncode == 3
    for advice in ("sudo apt-get install prometheus", "brew install prometheus", ".tools/bin"):
        assert advice in result.stderr


def test_the_output_of_apt_is_shown_when_it_fails(machine):
    """Its own message is the best diagnosis."""
    machine.is_a("Linux", "riscv64", user=0)
    machine.has_apt("2.42.0", "0.25.0", status=100)
    result = machine.run()
    assert result.returncode == 3
    assert "E: broken" in result.stderr
    assert "apt-get update did not succeed" in result.stdout


@pytest.mark.parametrize(
    ("have", "want", "holds"),
    [
        ("2.42.0", "2.42", True), ("2.41.9", "2.42", False), ("3.0.0", "2.42", True),
        ("2.100.0", "2.42", True), ("1.99", "2.42", False), ("2.42.0+ds-5", "2.42", True),
        ("", "2.42", False),
    ],
)  # fmt: skip
def test_versions_are_compared_by_number(repository, have, want, holds):
    """Not as text: 2.100 is later than 2.42."""
    script = f'. {repository}/tools/lib.sh; at_least "$1" "$2"'
    done = subprocess.run(["/bin/sh", "-c", script, "sh", have, want], check=False)
    assert (done.returncode == 0) == holds
