"""What the lints share: which files there are, how a violation is said, and the proof that a lint
can fail.

A lint is a function check(root) that yields (path, line, message). PLANTS are small trees, each a
dict of path -> text: under `bad` every one must be refused with the given words, under `good` none
may be. `--selftest` plants them in a temporary folder and looks.
"""

import os
import pathlib
import sys
import tempfile

SKIPPED_FOLDERS = {'.git', '__pycache__', 'corpus', 'subprojects'}
CODE = {'.c', '.h', '.def', '.py', '.sh', '.awk', '.md', '.build', '.bash', '.fish',
        '.1', '.5', '.7', '.8'}


def files(root, *folders, suffixes=None):
    """Every file below the folders (all of the tree without any), sorted, build folders left out."""
    for folder in folders or ('.',):
        for at, names, found in os.walk(pathlib.Path(root) / folder):
            top = pathlib.Path(at) == pathlib.Path(root)
            names[:] = sorted(n for n in names
                              if n not in SKIPPED_FOLDERS and not (top and n.startswith('build')))
            for name in sorted(found):
                path = pathlib.Path(at) / name
                if path.is_file() and (suffixes is None or path.suffix in suffixes):
                    yield path


def is_script(path):
    with open(path, 'rb') as f:
        return f.read(2) == b'#!'


def code_files(root):
    """What people write by hand; recorded inputs and expected outputs are not."""
    for path in files(root):
        if path.suffix in CODE or path.name == 'meson_options.txt' or is_script(path):
            yield path


def lines(path):
    text = path.read_text(encoding='utf-8', errors='surrogateescape')
    return list(enumerate(text.split('\n'), 1))


def inside(root, path):
    return path.relative_to(root).as_posix()


def run_check(check, root):
    return [(inside(root, path), line, message) for path, line, message in check(root)]


def selftest(check, bad, good):
    wrong = 0
    for number, (tree, words) in enumerate([(t, None) for t in good] + bad, 1):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in tree.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding='utf-8')
            said = run_check(check, root)
        fine = not said if words is None else any(words in message for _, _, message in said)
        print(f'{"ok" if fine else "not ok"} {number} - {words or "a clean tree"}')
        if not fine:
            wrong += 1
            print(f'# planted {sorted(tree)}, the lint said {said}')
    print(f'1..{len(good) + len(bad)}')
    return 1 if wrong else 0


def main(check, bad, good):
    if len(sys.argv) == 2 and sys.argv[1] == '--selftest':
        sys.exit(selftest(check, bad, good))
    if len(sys.argv) != 2:
        sys.exit(f'usage: {sys.argv[0]} ROOT | --selftest')
    said = run_check(check, pathlib.Path(sys.argv[1]).resolve())
    for path, line, message in said:
        print(f'{path}:{line}: {message}')
    sys.exit(1 if said else 0)
