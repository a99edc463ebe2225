"""Captures from the field, each cut at several places: cuts.py CUTS. Prints TAP.

TCPWHY_CORPUS names the folder. CUTS is tests/fuzz/cuts.c. Each file is cut at up to ten places, all of
them multiples of 97; with TCPWHY_CUTS=all at every 97th byte, which takes most of an hour.
"""

import concurrent.futures
import os
import pathlib
import subprocess
import sys

STEP = 97
PLACES = 10
NOT_CAPTURES = {'.md', '.tsv', '.jsonl', '.json', '.py', '.txt', '.html'}
DEADLINE_S = 3600


def captures(folder):
    for path in sorted(folder.rglob('*')):
        if path.is_file() and path.suffix not in NOT_CAPTURES \
                and not {'truth', 'LICENSES'} & set(path.relative_to(folder).parts):
            yield path


def complaints(cuts, path):
    """(number of cuts, what went wrong)"""
    step = STEP
    if os.environ.get('TCPWHY_CUTS') != 'all':
        step *= path.stat().st_size // STEP // PLACES + 1
    run = subprocess.run([cuts, str(step), path], capture_output=True, timeout=DEADLINE_S, check=False, text=True,
                         errors='replace')
    last = run.stdout.splitlines()[-1] if run.stdout else ''
    n = int(last.rsplit(': ', 1)[1].split()[0]) if last.startswith('# ') else 0
    if run.returncode == 0 and not run.stderr:
        return n, []
    return n, [f'{path}: status {run.returncode}', *run.stdout.splitlines()[:3], *run.stderr.splitlines()[:5]]


def main():
    folder = os.environ.get('TCPWHY_CORPUS')
    if not folder:
        print('1..0 # SKIP TCPWHY_CORPUS is not set')
        return 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(lambda path: complaints(sys.argv[1], path), captures(pathlib.Path(folder))))
    bad = [line for _, lines in found for line in lines]
    n = sum(n for n, _ in found)
    print('1..1')
    print(f'{"not ok" if bad or not n else "ok"} 1 - {len(found)} files, cut at {n} places')
    for line in bad[:40]:
        print('#', line)
    return 1 if bad or not n else 0


sys.exit(main())
