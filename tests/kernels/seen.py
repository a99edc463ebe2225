"""Looks that other kernels gave: seen.py TCPWHY SNAPSHOT... TAP.

How it works: boot.py made the same small host on each kernel, and each has to be judged alike, whatever the
kernel writes into its tables: shorter tcp_info, fewer attributes, no place of waiting in wchan, no count of
descriptors. A server sleeps over two requests and their ends; one of the clients still holds its half-closed
connection, the other was killed.
"""

import json
import os
import pathlib
import subprocess
import sys

FINDINGS = {
    ('close-wait-data-unread', 'warning', 'certain', 'sleep'): 1,
    ('close-wait-data-unread', 'warning', 'certain', 'sleep', 'second'): 1,
    ('fin-wait-2-held', 'note', 'certain', 'nc'): 1,
    ('fin-wait-2-orphan', 'note', 'certain', None): 1,
}
results = []


def check(name, wrong):
    results.append(not wrong)
    print(f'{"not ok" if wrong else "ok"} {len(results)} - {name}', flush=True)
    for line in wrong:
        print('#', str(line)[:400])


def differences(document):
    found = {}
    for f in document['findings']:
        key = (f['rule'], f['severity'], f['certainty'], f['subject']['comm'])
        found[key if key not in found else (*key, 'second')] = f['count']
        if f['rule'] == 'close-wait-data-unread' and \
                (f['facts']['unread_bytes'], f['facts'].get('waits_in')) != (6, 'hrtimer_nanosleep'):
            yield f'facts {f["facts"]}'
        # Fifteen seconds and what the emulator took.
        if f['rule'] != 'fin-wait-2-orphan' and not 15000 <= (f['oldest_ms'] or 0) <= 120000:
            yield f'{f["rule"]}: {f["oldest_ms"]} ms'
    if found != FINDINGS:
        yield f'findings {found}'
    if document['gaps'] or not document['complete']:
        yield f'gaps {document["gaps"]}'


def main():
    env = {**os.environ, 'LC_ALL': 'C.UTF-8'}
    for snapshot in map(pathlib.Path, sys.argv[2:]):
        done = subprocess.run([sys.argv[1], 'why', '--json', '--min-age', '5s', '--from', snapshot],
                              capture_output=True, check=False, timeout=60, env=env)
        try:
            document = json.loads(done.stdout)
        except ValueError:
            check(snapshot.stem, [done.stderr])
            continue
        wrong = list(differences(document))
        if not document['host']['kernel'].startswith(snapshot.stem + '.'):
            wrong.append(document['host']['kernel'])
        check(f'Linux {snapshot.stem}', wrong)
    print(f'1..{len(results)}')
    return 0 if results and all(results) else 1


sys.exit(main())
