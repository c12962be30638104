# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernels: fetched, unpacked, and made ready to boot; kept for a day, and longer if there is no network."""
import collections
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import time

import cpio
import debian

HERE = pathlib.Path(__file__).resolve().parent
FRESH = 24 * 3600  # seconds
# What a guest needs that is not in the kernel itself: its disk and its ports, and what the tests mount.
MODULES = ["virtio_pci", "virtio_mmio", "virtio_blk", "virtio_console", "ext4", "overlay", "loop"]

Kernel = collections.namedtuple("Kernel", "name arch suite package required backend backends tests")


def kernels():
    """The rows of the list."""
    rows = (line.split() for line in (HERE / "kernels").read_text().splitlines() if line and line[0] != "#")
    return [Kernel(*row) for row in rows]


def find_module(tree, name):
    pattern = re.compile(re.escape(name).replace("_", "[-_]") + r"\.ko(\.xz)?")
    return next((path for path in tree.rglob("*.ko*") if pattern.fullmatch(path.name)), None)


def load_order(tree, names):
    """The modules @names that are files, each behind those that it depends on: (name, contents)."""
    out = {}

    def add(name):
        path = find_module(tree, name)
        if not path or name in out:
            return
        data = path.read_bytes()
        data = lzma.decompress(data) if path.suffix == ".xz" else data
        depends = re.search(rb"\0depends=([^\0]*)\0", data)
        for other in depends.group(1).decode().split(",") if depends else []:
            add(other)
        out[name] = data
    for name in names:
        add(name)
    return list(out.items())


def decompressed(data, magic):
    """The first stream in @data that starts with @magic; what stands behind the stream is of no interest."""
    tools = {b"\x02\x21\x4c\x18": ["lz4", "-dc"], b"\x28\xb5\x2f\xfd": ["zstd", "-dc"], b"\x1f\x8b\x08": ["gzip", "-dc"],
             b"\xfd7zXZ\0": ["xz", "-dc", "--single-stream"]}
    return subprocess.run(tools[magic], input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout


def bootable(image):
    """What QEMU boots fastest: the ELF file inside a bzImage, the Image inside an EFI one; else @image as it is."""
    if image[0x202:0x206] == b"HdrS":  # Documentation/arch/x86/boot.rst
        start = (image[0x1f1] + 1) * 512 + int.from_bytes(image[0x248:0x24c], "little")
        size = int.from_bytes(image[0x24c:0x250], "little")
    elif image[:2] == b"MZ" and image[4:8] == b"zimg":  # drivers/firmware/efi/libstub/zboot-header.S
        start, size = (int.from_bytes(image[at:at + 4], "little") for at in (8, 12))
    else:
        return image
    payload = image[start:start + size]
    for magic in (b"\x02\x21\x4c\x18", b"\x28\xb5\x2f\xfd", b"\x1f\x8b\x08", b"\xfd7zXZ\0"):
        if payload.startswith(magic):
            return decompressed(payload, magic) or image
    return image


def initramfs(tree, busybox):
    """busybox, the modules, and init."""
    modules = load_order(tree, MODULES)
    archive = cpio.Archive()
    archive.directory("bin")
    archive.file("bin/busybox", busybox.read_bytes(), 0o755)
    archive.link("bin/sh", "busybox")
    archive.file("init", (HERE / "init").read_bytes(), 0o755)
    archive.directory("modules")
    for number, (name, data) in enumerate(modules):
        archive.file(f"modules/{number:02}-{name}.ko", data)
    return archive.bytes()


def fetch(kernel, vm):
    """The newest of the kernel's packages, unpacked, and a file for each part of it."""
    archive = debian.Archive(vm / "apt", kernel.suite, kernel.arch)
    wanted = re.compile(r"linux-(image|binary|modules)-\d.*-" + re.escape(kernel.arch))
    names = sorted(name for name in archive.closure(kernel.package) if wanted.fullmatch(name))
    if not names:
        raise debian.Unavailable(f"{kernel.suite} has no {kernel.package}")
    home, new = vm / "kernel" / f"{kernel.name}-{kernel.arch}", vm / "kernel" / f"{kernel.name}-{kernel.arch}.new"
    if (home / "packages").is_file() and (home / "packages").read_text().split() == names:
        os.utime(home / "packages")
        return
    shutil.rmtree(new, ignore_errors=True)
    packages = archive.download(names, new / "deb")
    tree = new / "tree"
    tree.mkdir()
    debian.unpack(packages, tree)
    shutil.rmtree(new / "deb")
    image, = tree.rglob("vmlinuz*")
    (new / "vmlinux").write_bytes(bootable(image.read_bytes()))
    (new / "packages").write_text("\n".join(names) + "\n")
    debian.replace(new, home)


def ready(kernel, vm):
    """The directory with vmlinux and tree; Unavailable if it is not here and cannot be fetched."""
    home = vm / "kernel" / f"{kernel.name}-{kernel.arch}"
    stamp = home / "packages"
    with debian.locked(home):
        if not stamp.is_file() or time.time() - stamp.stat().st_mtime > FRESH:
            try:
                fetch(kernel, vm)
            except debian.Unavailable:
                if not stamp.is_file():
                    raise
    return home
