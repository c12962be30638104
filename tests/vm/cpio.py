# SPDX-License-Identifier: GPL-2.0-or-later
"""An initramfs: archives of cpio's "newc" format, which the kernel takes one behind the other."""
import os
import stat


class Archive:
    def __init__(self):
        self.parts, self.inode = [], 0

    def _add(self, name, mode, data=b""):
        self.inode += 1
        name = os.fsencode(name) + b"\0"
        fields = [self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0]
        head = b"070701" + b"".join(b"%08x" % field for field in fields) + name
        for part in (head, data):
            self.parts += [part, b"\0" * (-len(part) % 4)]

    def directory(self, name):
        self._add(name, stat.S_IFDIR | 0o755)

    def file(self, name, data, mode=0o644):
        self._add(name, stat.S_IFREG | mode, data)

    def link(self, name, target):
        self._add(name, stat.S_IFLNK | 0o777, os.fsencode(target))

    def tree(self, path, name):
        """The directory @path as @name, without what Python compiled."""
        self.directory(name)
        for entry in sorted(os.scandir(path), key=lambda e: e.name):
            if entry.is_dir():
                if entry.name != "__pycache__":
                    self.tree(entry.path, f"{name}/{entry.name}")
            else:
                with open(entry.path, "rb") as file:
                    self.file(f"{name}/{entry.name}", file.read(), entry.stat().st_mode & 0o777)

    def bytes(self):
        whole = list(self.parts)
        self._add("TRAILER!!!", 0)
        whole, self.parts = self.parts, whole
        return b"".join(whole)
