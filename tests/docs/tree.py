"""The files that the checkers look at: what git tracks or would, else all of a directory."""
import subprocess
from pathlib import Path

SOURCES = (".h", ".cpp", ".fbs", ".py", ".mjs", ".js", ".ts", ".sh", ".cmake", ".txt", ".in", ".toml")


class Tree:
    def __init__(self, root):
        self.root = Path(root)
        listed = subprocess.run(
            ["git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard"],
            capture_output=True, text=True)
        inside = (self.root / ".git").exists() and listed.returncode == 0
        names = listed.stdout.splitlines() if inside else [
            str(p.relative_to(self.root)) for p in self.root.rglob("*") if p.is_file()]
        self.files = sorted(n for n in names if (self.root / n).is_file())
        # Every directory above a file is in the tree too.
        self.paths = set(self.files)
        for name in self.files:
            self.paths.update(str(p) for p in Path(name).parents if str(p) != ".")
        self._texts = {}

    def text(self, name):
        if name not in self._texts:
            path = self.root / name
            self._texts[name] = path.read_text(errors="replace") if path.is_file() else ""
        return self._texts[name]

    def documents(self):
        return [n for n in self.files if n.endswith(".md")]

    def sources(self, *under):
        """Names of source files and scripts, of the whole tree or below the given folders."""
        return [n for n in self.files
                if (n.endswith(SOURCES) or "." not in n.rsplit("/", 1)[-1])
                and not n.startswith("tests/docs/")
                and (not under or n.startswith(under))]


def report(checks, root):
    """Runs each check over the tree, prints its problems and the counts; returns the exit status."""
    tree, passed, failed = Tree(root), 0, 0
    for check in checks:
        problems = list(check(tree))
        for problem in problems:
            print(f"{check.__name__}: {problem}")
        passed, failed = passed + (not problems), failed + bool(problems)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0
