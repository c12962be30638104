# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's root file system: Debian packages unpacked into an ext4 image."""
import hashlib
import os
import pathlib
import platform
import shutil
import subprocess

import debian

HERE = pathlib.Path(__file__).resolve().parent
UNUSED = ["usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/i18n", "usr/share/info", "var/cache", "boot"]


def packages():
    return [line for line in (HERE / "packages").read_text().splitlines() if line and line[0] != "#"]


def configure(tree):
    """What the packages' own scripts would have done, as far as the tests need it."""
    for name in ("passwd", "group"):
        shutil.copy(tree / f"usr/share/base-passwd/{name}.master", tree / "etc" / name)
    (tree / "etc/hostname").write_text("guest\n")
    (tree / "etc/hosts").write_text("127.0.0.1 localhost guest\n")
    (tree / "etc/machine-id").write_text("0" * 31 + "1\n")
    (tree / "usr/bin/awk").symlink_to("mawk")
    if os.path.lexists(tree / "etc/mtab"):
        (tree / "etc/mtab").unlink()
    (tree / "etc/mtab").symlink_to("../proc/self/mounts")
    for name in ("dev", "proc", "sys", "run", "tmp", "root", "mnt", "media", "srv"):
        (tree / name).mkdir(exist_ok=True)
    for name in UNUSED:
        shutil.rmtree(tree / name, ignore_errors=True)
    compile_python(tree)


def compile_python(tree):
    """In the guest that takes long, and would be done again in each; possible where this Python is the same version."""
    name = "python" + ".".join(platform.python_version_tuple()[:2])
    if (tree / "usr/bin" / name).exists():
        where = [tree / "usr/lib" / name, tree / "usr/lib/python3/dist-packages"]
        subprocess.run(["/usr/bin/python3", "-m", "compileall", "-q", "-s", tree, "-p", "/", "--invalidation-mode",
                        "unchecked-hash", *where], check=False, stdout=subprocess.DEVNULL)


def build(vm, arch, image):
    archive = debian.Archive(vm / "apt", debian.release(), arch)
    found = archive.download_closure(packages())
    tree = image.with_suffix(".tree")
    shutil.rmtree(tree, ignore_errors=True)
    try:
        for name in ("bin", "sbin", "lib"):
            (tree / "usr" / name).mkdir(parents=True)
            (tree / name).symlink_to(f"usr/{name}")
        (tree / "usr/lib64").mkdir()
        (tree / "lib64").symlink_to("usr/lib64")
        debian.unpack(found, tree)
        configure(tree)
        shutil.copy(tree / "bin/busybox", image.with_suffix(".busybox"))
        new = image.with_suffix(".new")
        new.unlink(missing_ok=True)
        # Without a journal and with room to write: the guest's changes are thrown away.
        debian.output("/usr/sbin/mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-d", str(tree), str(new), "1G")
        debian.replace(new, image)
    finally:
        shutil.rmtree(tree, ignore_errors=True)
        shutil.rmtree(archive.root / "cache", ignore_errors=True)


def ready(vm, arch):
    """The image and busybox for the initramfs; made again if the list of packages or this file has changed."""
    recipe = hashlib.sha256((HERE / "packages").read_bytes() + pathlib.Path(__file__).read_bytes()).hexdigest()
    image = vm / f"root-{arch}.ext4"
    stamp = image.with_suffix(".recipe")
    with debian.locked(image):
        if not image.exists() or not stamp.exists() or stamp.read_text() != recipe:
            build(vm, arch, image)
            stamp.write_text(recipe)
    return image, image.with_suffix(".busybox")
