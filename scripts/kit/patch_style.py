# SPDX-License-Identifier: GPL-2.0-only
"""What a patch looks like: checkpatch, and kernel-doc of the files that it touches."""

import collections
import pathlib
import tempfile
from typing import Callable, Iterable, List, Tuple

from . import common, git, modules, objects, store

# Entries of MAINTAINERS name folders, so a new file in one of them needs no new entry; and
# null_blk's list of features is one string over many lines, to which the series adds.
IGNORED = "FILE_PATH_CHANGES,SPLIT_STRING"
OPTIONS = ["--strict", "--codespell", "--no-summary", "--ignore", IGNORED]

Bench = Callable[[], git.Repo]


class PatchStyle:
    """Checks of text; each is made once for the same text and the same script of the kernel."""

    def __init__(self, source: git.Repo, bench: Bench):
        self.source, self.bench = source, bench
        self.known = store.Store("style")
        self.base = source.commit_id("base")

    def knows(self, patch: pathlib.Path) -> bool:
        """Whether checkpatch was asked about this patch before."""
        return self.known.get(self._key(patch)) is not None

    def checkpatch(self, patch: pathlib.Path) -> List[str]:
        """What checkpatch --strict complains of, the name of the patch first."""
        key = self._key(patch)
        text = self.known.get(key)
        if text is None:
            done = self._perl("checkpatch.pl", [*OPTIONS, patch])
            text = "" if done.returncode == 0 else done.stdout.strip() or done.stderr
            self.known.put(key, text)
        return [f"{patch.name}:\n{text}"] if text else []

    def _key(self, patch: pathlib.Path) -> str:
        return store.key_of("checkpatch", self.base, OPTIONS, patch)

    def _modules(self) -> Tuple[List[object], str]:
        """What checkpatch is called with for the modules, and by what its answer is known."""
        folders = (modules.SOURCES, common.ROOT / "docs/examples/modules")
        files = sorted(
            path for each in folders for path in each.iterdir() if path.suffix in (".c", ".h")
        )
        options = ["--strict", "--no-tree", "--no-summary", "--terse", "--file"]
        return [*options, *files], store.key_of("modules", self.base, options, *files)

    def knows_modules(self) -> bool:
        """Whether checkpatch was asked about these modules before."""
        return self.known.get(self._modules()[1]) is not None

    def modules(self) -> List[str]:
        """checkpatch of the modules that are built out of tree."""
        words, key = self._modules()
        text = self.known.get(key)
        if text is None:
            done = self._perl("checkpatch.pl", words)
            text = "" if done.returncode == 0 else done.stdout.strip() or done.stderr
            self.known.put(key, text)
        return [text] if text else []

    def kernel_doc(self, before: str, after: str, files: Iterable[str]) -> List[str]:
        """What kernel-doc warns of in these files at `after` and not at `before`."""
        found = []
        for name in files:
            if not name.endswith((".c", ".h")):
                continue
            new = collections.Counter(self._kernel_doc(after, name))
            new.subtract(self._kernel_doc(before, name))
            found += [f"kernel-doc: {text}" for text, count in new.items() if count > 0]
        return found

    def _kernel_doc(self, commit: str, name: str) -> List[str]:
        blob = self.source.run("rev-parse", "-q", "--verify", f"{commit}:{name}", check=False)
        if blob.returncode != 0:
            return []
        key = store.key_of("kernel-doc", self.base, name, blob.stdout.strip())
        warnings = self.known.get(key)
        if warnings is None:
            text = self.source.run("cat-file", "blob", blob.stdout.strip()).stdout
            with tempfile.TemporaryDirectory(prefix="blkcopy-doc-") as folder:
                path = pathlib.Path(folder) / pathlib.PurePath(name).name
                path.write_text(text, errors="surrogateescape")
                done = self._perl("kernel-doc", ["-none", "-Wall", path])
            warnings = sorted(objects.warnings_of(done.stdout + done.stderr).elements())
            self.known.put(key, warnings)
        return warnings

    def _perl(self, script: str, words: List[object]):
        tree = self.bench().path
        return common.run(["perl", tree / "scripts" / script, *words], cwd=tree, check=False)
