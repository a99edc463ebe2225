"""bootstrap on hosts with another package manager and nothing installed: bootstrap.py ROOT.

A folder stands for the whole PATH: the few tools that a bare system has, and a manager that writes down
how it was called. What is missing must then be asked of it by its own names, once, and said at the end.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

TOOLS = ['sh', 'id', 'tr', 'cut', 'sort', 'grep', 'cat', 'dirname', 'ls', 'stat', 'chown']
# The beginning of the line, names that must be in it, names of others that must not.
MANAGERS = {
    'apt-get': ('install -y', ['gcc', 'ninja-build', 'libmnl-dev', 'zlib1g-dev'], ['zlib-devel', 'zstd-dev']),
    'dnf': ('install -y', ['gcc', 'pkgconf-pkg-config', 'libmnl-devel', 'zlib-devel'], ['zlib1g-dev', 'ninja']),
    'apk': ('add', ['gcc', 'samurai', 'libmnl-dev', 'zstd-dev'], ['libzstd-dev', 'zlib-devel']),
    'pacman': ('-S --needed', ['gcc', 'libmnl', 'zlib', 'zstd'], ['libmnl-dev', 'ninja-build']),
    'zypper': ('-n -q install', ['gcc', 'libjansson-devel', 'zlib-devel'], ['jansson', 'libmnl-dev']),
}
TESTS = {'apt-get': 'libcmocka-dev', 'dnf': 'python3-jsonschema', 'apk': 'py3-jsonschema', 'pacman': 'python-jsonschema',
         'zypper': 'ShellCheck'}
REFRESHES = ('update -qq', 'update -q', '-Sy')
results = []


def check(name, is_good, seen):
    results.append(bool(is_good))
    print(f'{"ok" if is_good else "not ok"} {len(results)} - {name}')
    if not is_good:
        print('# ' + str(seen).replace('\n', '\n# '))


def bootstrap(root, tree, manager, goal, unknown='/'):
    """How the manager was called, and what was said. One name it does not know makes it refuse all."""
    for old in tree.iterdir():
        old.unlink()
    for tool in TOOLS:
        (tree / tool).symlink_to(shutil.which(tool))
    called = tree / 'called'
    if manager:
        (tree / manager).write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>{called}\n'
                                    f'case "$*" in *" {unknown}"*) exit 1 ;; esac\n')
        (tree / manager).chmod(0o755)
    done = subprocess.run(['sh', root / 'bootstrap', goal], env={'PATH': str(tree)}, capture_output=True, text=True,
                          check=False)
    check(f'{manager}: {goal} fails', done.returncode == 1, done)
    calls = called.read_text().splitlines() if called.exists() else []
    return [c for c in calls if c not in REFRESHES], done.stdout + done.stderr


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        tree = pathlib.Path(name)
        for manager, (begins, needs, needs_not) in MANAGERS.items():
            calls, said = bootstrap(root, tree, manager, 'build')
            # As a user nothing is installed: the line is said.
            line = calls[0] if calls else said.partition(f'as root: {manager} ')[2].split('\n')[0]
            words = line.split()
            check(f'{manager}: is called once, if at all', len(calls) == (os.geteuid() == 0), calls)
            check(f'{manager}: {begins}', line.startswith(begins), said)
            check(f'{manager}: its names', all(n in words for n in needs) and not any(n in words for n in needs_not),
                  words)
            check(f'{manager}: no gaps in the table', '-' not in words, words)
            check(f'{manager}: the line is said', f'still missing; as root: {manager} {begins}' in said, said)
            calls, said = bootstrap(root, tree, manager, 'test')
            check(f'{manager}: tests', TESTS[manager] in said + ' '.join(calls), said)
        calls, _ = bootstrap(root, tree, 'dnf', 'test', 'fish')
        if os.geteuid() == 0:
            check('an unknown wish: what is needed is asked for without it', 'gcc' in calls[1] and 'zsh' not in calls[1],
                  calls)
            check('an unknown wish: the others, too', {'dnf install -y -q zsh', 'dnf install -y -q jq'} <=
                  {'dnf ' + c for c in calls[2:]}, calls)
        _, said = bootstrap(root, tree, None, 'build')
        check('no manager: Debian\'s names', 'the packages that Debian calls' in said and 'libmnl-dev' in said, said)
    print(f'1..{len(results)}')
    return 0 if all(results) else 1


if __name__ == '__main__':
    sys.exit(main())
