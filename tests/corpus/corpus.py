"""Captures from the field, which are no part of this tree: corpus.py TCPWHY. Prints TAP.

TCPWHY_CORPUS names a folder of captures; without it nothing is run. Every file below it, whatever it
is called, must end with status 0 or 1, a clear line on stderr where it is 1, and a whole document on
stdout where there is one. Ten of them run under valgrind, where that is installed and the program is
not built with a sanitizer, which sees the same and more.
"""

import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys

MAX_BYTES = 64 << 20
NOT_CAPTURES = {'.md', '.tsv', '.jsonl', '.json', '.py', '.txt', '.html'}
SANITIZER = ('AddressSanitizer', 'LeakSanitizer', 'runtime error', 'UndefinedBehaviorSanitizer')

results = []


def check(name, bad):
    results.append(not bad)
    print(f'{"not ok" if bad else "ok"} {len(results)} - {name}', flush=True)
    for line in bad[:20]:
        print('#', line)


def captures(folder):
    for path in sorted(folder.rglob('*')):
        if path.is_file() and path.suffix not in NOT_CAPTURES and path.stat().st_size <= MAX_BYTES \
                and not {'truth', 'LICENSES'} & set(path.relative_to(folder).parts):
            yield path


def complaint(tool, path, *options):
    """What is wrong with the answer about this file; None: nothing."""
    run = subprocess.run([*tool, 'pcap', '--json', *options, path], capture_output=True, timeout=120, check=False)
    said = run.stderr.decode(errors='replace')
    if any(word in said for word in SANITIZER):
        return f'{path}: {said[:300]}'
    if run.returncode not in (0, 1):
        return f'{path}: exit status {run.returncode}: {said[:300]}'
    if run.returncode == 1 and not said.startswith('tcpwhy: '):
        return f'{path}: status 1 and no reason: {said[:300]}'
    if run.returncode == 0 and not run.stdout:
        return f'{path}: status 0 and no report'
    if run.stdout:
        keys = list(json.loads(run.stdout))
        if keys[0] != 'schema' or keys[-1] != 'complete':
            return f'{path}: not a whole document'
    return None


def is_sanitized(tool):
    return any(word in pathlib.Path(tool).read_bytes() for word in (b'__asan_init', b'__ubsan_handle'))


def main():
    folder = os.environ.get('TCPWHY_CORPUS')
    if not folder:
        print('1..0 # SKIP TCPWHY_CORPUS is not set')
        return 0
    files = list(captures(pathlib.Path(folder)))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        bad = [c for c in pool.map(lambda f: complaint([sys.argv[1]], f), files) if c]
    check(f'{len(files)} files', bad if files else ['no file'])
    if shutil.which('valgrind') and not is_sanitized(sys.argv[1]):
        valgrind = ['valgrind', '-q', '--error-exitcode=9', '--leak-check=full', sys.argv[1]]
        some = [f for f in files if f.stat().st_size < 200000][::max(1, len(files) // 10)]
        check(f'{len(some)} files under valgrind', [c for c in (complaint(valgrind, f, '--no-sandbox') for f in some) if c])
    print(f'1..{len(results)}')
    return 0 if all(results) else 1


sys.exit(main())
