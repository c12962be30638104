# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian packages into a directory, from the mirror that the machine's own apt uses; nothing is installed."""
import contextlib
import fcntl
import os
import pathlib
import shutil
import subprocess

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class Unavailable(Exception):
    """What was asked for cannot be had now."""


def output(*command, **kwargs):
    """What @command prints; Unavailable with its last words if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                          env={**os.environ, "LC_ALL": "C.UTF-8"}, check=False, **kwargs)
    if done.returncode:
        words = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise Unavailable(f"{command[0]}: {words[-1].strip() if words else done.returncode}")
    return done.stdout


@contextlib.contextmanager
def locked(path):
    """Alone with @path among all that use this: two machines may start at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_name(path.name + ".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def release():
    """This machine's release: the guest's programs are of the same one, as nsscope was linked here."""
    with open("/etc/os-release", encoding="utf-8") as file:
        fields = dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
    return fields.get("VERSION_CODENAME", "").strip('"')


def site_of(suite):
    """Where @suite is: with this machine's release, or with its security updates."""
    near = release() + ("-security" if suite.endswith("-security") else "")
    targets = output("apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(SITE)", "Created-By: Packages")
    for line in targets.splitlines():
        name, component, site = line.split(" ", 2)
        if (name, component) == (near, "main"):
            return site
    raise Unavailable(f"apt knows no place of {near}")


class Archive:
    """One suite for one architecture, with lists and cache of its own, and with nothing installed."""

    def __init__(self, root, suite, arch):
        self.root = root / f"{suite}-{arch}"
        for name in ("lists/partial", "cache/archives/partial"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        (self.root / "status").touch()
        (self.root / "sources.list").write_text(f"deb [signed-by={KEYRING}] {site_of(suite)} {suite} main\n")
        settings = {"Dir::Etc::sourcelist": self.root / "sources.list", "Dir::Etc::sourceparts": "-",
                    "Dir::State": self.root, "Dir::State::status": self.root / "status",
                    "Dir::Cache": self.root / "cache", "APT::Architecture": arch, "APT::Architectures::": arch,
                    "APT::Sandbox::User": "root", "APT::Install-Recommends": "false", "Acquire::Retries": "3",
                    "Acquire::Languages": "none", "Debug::NoLocking": "true"}
        self.options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
        # Without this apt-get update would succeed with old lists where a new one cannot be fetched.
        output("apt-get", *self.options, "-qq", "--error-on=any", "update")

    def closure(self, package):
        """@package and all that it depends on, by name, as far as this suite has them."""
        text = output("apt-cache", *self.options, "depends", "--recurse", "--important", package)
        return [line for line in text.splitlines() if line and line[0] not in " <"]

    def download(self, names, where):
        where.mkdir(parents=True)
        output("apt-get", *self.options, "-qq", "download", *names, cwd=where)
        return sorted(where.glob("*.deb"))

    def download_closure(self, names):
        """All that an empty machine needs to have @names."""
        output("apt-get", *self.options, "-qq", "-y", "--download-only", "install", *names)
        return sorted((self.root / "cache/archives").glob("*.deb"))


def unpack(packages, tree):
    """The files of @packages. Not dpkg -x: it would make directories of the links /bin, /lib and /sbin."""
    for package in packages:
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as tar:
            subprocess.run(["tar", "-x", "-C", tree, "--keep-directory-symlink"], stdin=tar.stdout, check=True)
        if tar.returncode:
            raise Unavailable(f"{package.name} cannot be unpacked")


def replace(new, old):
    """@new takes the place of @old, at once as far as a directory can."""
    if old.is_dir():
        shutil.rmtree(old)
    os.rename(new, old)
