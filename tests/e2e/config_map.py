"""A ConfigMap volume as the kubelet makes and updates it (pkg/volume/util/atomic_writer.go).

The file is a link to `..data/NAME`, `..data` a link to a directory with a time for its name. An
update writes another directory, makes a link `..data_tmp` to it, renames that over `..data`, and
removes the old directory.
"""

import os
import shutil
from itertools import count
from pathlib import Path


class ConfigMapMount:
    def __init__(self, directory: Path, name: str = "logship.yaml") -> None:
        self._directory, self._name = directory, name
        self._times = count()
        directory.mkdir(parents=True)

    @property
    def path(self) -> Path:
        return self._directory / self._name

    def update(self, text: str) -> None:
        data = self._directory / "..data"
        before = os.readlink(data) if data.is_symlink() else None
        after = f"..2026_11_23_04_46_{next(self._times):02}.1234"
        (self._directory / after).mkdir()
        (self._directory / after / self._name).write_text(text)
        if before is None:
            data.symlink_to(after)
            self.path.symlink_to(f"..data/{self._name}")
            return
        temporary = self._directory / "..data_tmp"
        temporary.symlink_to(after)
        temporary.rename(data)
        shutil.rmtree(self._directory / before)
