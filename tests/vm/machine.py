# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine of QEMU's software emulation that runs one command."""
import collections
import os
import selectors
import shlex
import subprocess
import time
import uuid

import cpio
import kernel as kernels

# What costs time here, or delays the start, and is not what the kernel is tested for. norandmaps: the emulator translates
# a program once for each address that it is loaded at; without it a process costs five times as much. clearcpuid: it
# steps through "rep movs" byte by byte, so the kernel shall not think it fast (rep_good, erms, fsrm). lsm: of these
# kernels some have no bpf in it, and then LSM programs can be attached but never run.
APPEND = ("panic=-1 quiet mitigations=off nokaslr norandmaps no_timer_check init_on_alloc=0 audit=0 cryptomgr.notests "
          "random.trust_cpu=on rcupdate.rcu_expedited=1 lsm=lockdown,yama,bpf")
# Two virtual CPUs on two threads die now and then (QEMU 7.2). /dev/kvm is never used: under a hypervisor that only
# claims to nest, these kernels stall in it.
COMMON = ["-display", "none", "-nodefaults", "-monitor", "none", "-no-reboot", "-accel", "tcg,tb-size=512", "-smp", "1",
          "-m", "768M"]
ARCH = {
    "amd64": ("qemu-system-x86_64", "console=ttyS0 clearcpuid=112,297,580",
              ["-machine", "q35,sata=off,smbus=off,vmport=off", "-cpu", "max,la57=off"]),
    "arm64": ("qemu-system-aarch64", "console=ttyAMA0", ["-machine", "virt", "-cpu", "cortex-a57"]),
}
PORTS = ["console", "out", "err", "status"]
KEEP, WIDTH = 40, 200  # of the console, shown where something is wrong


class Failure(Exception):
    """The machine did not tell the command's exit status."""


def payload(command, files, env, nonce):
    """The second part of the initramfs, which differs from run to run: @files (name: path), and the command."""
    archive = cpio.Archive()
    made = set()

    def parents(name):
        for end in [i for i, c in enumerate(name) if c == "/"]:
            if name[:end] not in made:
                made.add(name[:end])
                archive.directory(name[:end])
    for name, path in files.items():
        name = f"nsscope/{name}"
        parents(name)
        if os.path.isdir(path):
            archive.tree(path, name)
        else:
            with open(path, "rb") as file:
                archive.file(name, file.read(), 0o755)
    parents("nsscope/vm/")
    script = b"".join(b"export %s=%s\n" % (k.encode(), quote(v)) for k, v in env.items())
    script += b"exec " + b" ".join(quote(word) for word in command) + b"\n"
    archive.file("nsscope/vm/init", (kernels.HERE / "init").read_bytes(), 0o755)
    archive.file("nsscope/vm/command", script)
    archive.file("nsscope/vm/nonce", nonce.encode() + b"\n")
    return archive.bytes()


def quote(word):
    """For sh, any bytes."""
    return shlex.quote(os.fsencode(word).decode("latin-1")).encode("latin-1")


class Console:
    """What the kernel said last."""

    def __init__(self):
        self.lines = collections.deque([b""], KEEP)

    def add(self, data):
        first, *rest = data.replace(b"\r", b"").split(b"\n")
        self.lines[-1] += first
        self.lines.extend(rest)

    def text(self):
        return b"\n".join(line[:WIDTH] for line in self.lines).decode("utf-8", "replace").strip("\n")


def qemu(arch, home, image, initrd, fds):
    program, append, options = ARCH[arch]
    # It must not outlive this process, however that ends.
    command = ["setpriv", "--pdeathsig", "KILL", program, *COMMON, *options, "-kernel", str(home / "vmlinux"), "-initrd", initrd,
               "-append", f"{append} {APPEND}",
               "-drive", f"file={image},if=none,id=disk,format=raw,snapshot=on,cache=unsafe",
               "-device", "virtio-blk-pci,drive=disk", "-device", "virtio-serial-pci"]
    for number, (name, fd) in enumerate(zip(PORTS, fds)):
        command += ["-add-fd", f"fd={fd},set={number}", "-chardev", f"file,id={name},path=/dev/fdset/{number},append=on"]
        command += ["-serial", "chardev:console"] if name == "console" else \
            ["-device", f"virtserialport,chardev={name},name={name},nr={number}"]
    return command


def pump(process, pipes, nonce, out, err, deadline):
    """Passes on what comes until the status has come, and returns it; Failure if it does not."""
    console, control, status = Console(), b"", None
    with selectors.DefaultSelector() as selector:
        for name, fd in pipes.items():
            selector.register(fd, selectors.EVENT_READ, name)
        while selector.get_map():
            ready = selector.select(max(0, deadline - time.monotonic()))
            if not ready and status is None:
                process.kill()
                raise Failure(f"time is up; the kernel said last:\n{console.text()}")
            for key, _ in ready:
                data = os.read(key.fd, 65536)
                if not data:
                    selector.unregister(key.fd)
                elif key.data == "console":
                    console.add(data)
                elif key.data == "status":
                    control += data
                else:
                    write(out if key.data == "out" else err, data)
            word = control.split()
            if status is None and control.endswith(b"\n") and word[0] == nonce.encode():
                status = int(word[1])
                process.kill()  # what it wrote before is in the pipes
    if status is None:
        raise Failure(f"the machine ended before the command; the kernel said last:\n{console.text()}")
    return status


def write(fd, data):
    while data:
        data = data[os.write(fd, data):]


def run(arch, home, image, busybox, command, files, env, limit, count=False, out=1, err=2):
    """Runs @command in a machine and returns its exit status; its output goes to the file descriptors @out and @err.

    count: the guest's clock counts instructions, one each ns.
    """
    nonce = uuid.uuid4().hex
    deadline = time.monotonic() + limit
    # In memory only: nothing is left whatever happens.
    initrd = os.memfd_create("initrd")
    write(initrd, kernels.initramfs(home / "tree", busybox) + payload(command, files, env, nonce))
    ends = {name: os.pipe() for name in PORTS}
    fds = [pair[1] for pair in ends.values()]
    words = qemu(arch, home, image, f"/proc/self/fd/{initrd}", fds)
    words += ["-icount", "shift=0,sleep=off"] if count else []
    process = subprocess.Popen(words, pass_fds=[initrd, *fds], stdin=subprocess.DEVNULL, stdout=err, stderr=err,
                               env={**os.environ, "TMPDIR": str(image.parent)})
    for fd in [initrd, *fds]:
        os.close(fd)
    try:
        return pump(process, {name: pair[0] for name, pair in ends.items()}, nonce, out, err, deadline)
    finally:
        process.kill()
        process.wait()
        for pair in ends.values():
            os.close(pair[0])
