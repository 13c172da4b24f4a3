"""Make a virtual environment hold what a profile needs, and print the path of its interpreter.

Standard library only: this runs before anything is installed. An environment is complete when its stamp
holds the hash of everything that went into it; the stamp is written last, so an interrupted run is repaired
by the next, and a lock that dies with its process makes concurrent runs wait for each other.
"""

import argparse
import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = ROOT / "pyproject.toml"


class Profile(NamedTuple):
    """What an environment must hold."""

    home: str
    extras: tuple[str, ...]
    groups: tuple[str, ...]
    within: str | None = None
    """A bigger profile of the same home: where that one is in place, this one is too."""


PROFILES = {
    "run": Profile(".venv", ("engine",), (), within="dev"),
    "dev": Profile(".venv", ("engine", "httpx2", "aiohttp", "otel", "test"), ("dev",)),
    "vendor": Profile(".venv-vendor", (), ("vendor",)),
}
# The parts of [project] that decide what pip installs.
NEEDS = ("dependencies", "optional-dependencies", "scripts", "entry-points")


def main() -> int:
    """Entry point: `environment.py <profile>`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile", choices=sorted(PROFILES))
    profile = parser.parse_args().profile
    home = ROOT / PROFILES[profile].home
    with _locked(home.with_name(f"{home.name}.lock")):
        python = _ensure(home, profile)
    print(python)
    return 0


def _ensure(home: Path, profile: str) -> Path:
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if _usable(python):
        if any(_complete(home, name) for name in (profile, PROFILES[profile].within) if name):
            return python
    else:
        shutil.rmtree(home, ignore_errors=True)
        _say(f"creating {home.name} with Python {sys.version.split()[0]}")
        venv.EnvBuilder(with_pip=True).create(home)
    for stamp in home.glob("*.stamp"):
        stamp.unlink()
    _say(f"installing into {home.name} (once, until pyproject.toml changes)")
    _install(python, profile)
    (home / f"{profile}.stamp").write_text(_fingerprint(profile), "ascii")
    return python


def _complete(home: Path, profile: str) -> bool:
    stamp = home / f"{profile}.stamp"
    return stamp.is_file() and stamp.read_text("ascii") == _fingerprint(profile)


def _install(python: Path, profile: str) -> None:
    extras = PROFILES[profile].extras
    wanted = [requirement for group in PROFILES[profile].groups for requirement in _group(group)]
    if extras:
        wanted = ["--editable", f"{ROOT}[{','.join(extras)}]", *wanted]
    pip = [os.fspath(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted]
    subprocess.run(pip, check=True, stdout=sys.stderr)


def _group(name: str) -> list[str]:
    """Requirements of a dependency group (PEP 735): the pip that comes with Python 3.11 cannot read them."""
    found: list[str] = []
    for item in _project()["dependency-groups"][name]:
        found += _group(item["include-group"]) if isinstance(item, dict) else [item]
    return found


def _project() -> dict[str, Any]:
    return tomllib.loads(PYPROJECT.read_text("utf-8"))


def _fingerprint(profile: str) -> str:
    """Hash of what decides an installation: the profile, the interpreter, checkout, declared needs."""
    project = _project()
    needs = {key: project["project"].get(key) for key in NEEDS}
    decides = (PROFILES[profile], sys.version_info[:3], os.fspath(ROOT), needs, project["dependency-groups"])
    return hashlib.sha256(repr(decides).encode()).hexdigest()


def _usable(python: Path) -> bool:
    """Whether the interpreter still starts and is of the version that runs this: updates can break it."""
    if not python.exists():
        return False
    ask = [os.fspath(python), "-c", "import pip, sys; print(sys.version_info[:3])"]
    answer = subprocess.run(ask, capture_output=True, text=True, check=False)
    return answer.returncode == 0 and answer.stdout.strip() == str(sys.version_info[:3])


@contextlib.contextmanager
def _locked(path: Path) -> Generator[None]:
    """Hold a lock that the operating system drops with the process, however it ends."""
    with path.open("a+b") as handle:
        if os.name == "nt":
            import msvcrt  # exists on Windows only

            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl  # exists on Unix only

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _say(text: str) -> None:
    print(f"bursar: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as failed:
        _say(f"installation failed (exit {failed.returncode}); is a package index reachable?")
        sys.exit(1)
