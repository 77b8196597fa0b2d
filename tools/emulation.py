"""A Python of another machine, run by QEMU's user-mode emulation: Debian's, unpacked in a folder of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

DEBIAN_NAMES = {"aarch64": "arm64", "x86_64": "amd64"}
# Of each Python that Debian has released.
RELEASES = {"3.11": "bookworm", "3.13": "trixie"}
SOURCES = """\
Types: deb
URIs: http://deb.debian.org/debian
Suites: {release}
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
# Oldest first: pip takes wheels for any of them.
PLATFORMS = ("manylinux_2_17", "manylinux2014", "manylinux_2_27", "manylinux_2_28")


class EmulatedPython:
    """An interpreter, and the packages that it is given."""

    def __init__(self, machine: str, python: str, directory: Path) -> None:
        self.machine, self.python = machine, python
        self.root = directory / "root"
        self.packages = directory / "packages"

    @classmethod
    def find(cls, machine: str, python: str, directory: Path) -> EmulatedPython | None:
        """Debian's Python of this version, or None, with a word why."""
        emulator = f"qemu-{machine}-static"
        if not (shutil.which(emulator) and shutil.which("apt-get")):
            print(f"{emulator} or apt-get is not here: the wheels for {machine} are not run")
            return None
        if python not in RELEASES:
            print(f"no Debian has python{python}: the wheel for it on {machine} is not run")
            return None
        emulated = cls(machine, python, directory)
        emulated.fetch()
        return emulated

    def fetch(self) -> None:
        """Unpacks the interpreter and what it depends on, by an apt-get that knows nothing of this system."""
        state = self.root.with_name("apt")
        for folder in ("lists/partial", "cache/archives/partial", "debs", "sources"):
            (state / folder).mkdir(parents=True, exist_ok=True)
        (state / "status").touch()
        (state / "sources" / "debian.sources").write_text(SOURCES.format(release=RELEASES[self.python]))
        debian = DEBIAN_NAMES[self.machine]
        options: dict[str, object] = {
            "APT::Architecture": debian,
            "APT::Architectures": debian,
            "Dir::State": state,
            "Dir::State::status": state / "status",
            "Dir::Cache": state / "cache",
            "Dir::Etc::SourceList": "/dev/null",
            "Dir::Etc::SourceParts": state / "sources",
            "APT::Sandbox::User": "root",
        }
        apt = ["apt-get", "--quiet", *(f"--option={name}={value}" for name, value in options.items())]
        subprocess.run([*apt, "update"], check=True)
        plan = [*apt, "install", "--simulate", "--no-install-recommends", f"python{self.python}-minimal",
                f"libpython{self.python}-stdlib", "libstdc++6"]  # fmt: skip
        planned = subprocess.run(plan, stdout=subprocess.PIPE, text=True, check=True)
        packages = [line.split()[1] for line in planned.stdout.splitlines() if line.startswith("Inst ")]
        subprocess.run([*apt, "download", *packages], cwd=state / "debs", check=True)
        for package in sorted((state / "debs").glob("*.deb")):
            subprocess.run(["dpkg", "--extract", package, self.root], check=True)
        if not (self.root / "lib").exists():
            (self.root / "lib").symlink_to("usr/lib")  # where the interpreter looks for its loader

    def install(self, *what: str | Path) -> None:
        """Installs wheels, by this machine's pip."""
        platforms = [f"--platform={name}_{self.machine}" for name in PLATFORMS]
        options = ["--only-binary=:all:", f"--python-version={self.python}", *platforms, f"--target={self.packages}"]
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", *options, *map(str, what)]
        subprocess.run(command, check=True)

    def run(self, *arguments: str | Path, cwd: Path) -> None:
        interpreter = self.root / "usr" / "bin" / f"python{self.python}"
        command = [f"qemu-{self.machine}-static", "-L", str(self.root), "-E", f"PYTHONPATH={self.packages}"]
        subprocess.run([*command, str(interpreter), *map(str, arguments)], cwd=cwd, check=True)
