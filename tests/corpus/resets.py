"""Real endings of real sockets, whose causes are known: resets.py TCPWHY. Prints TAP.

TCPWHY_CORPUS names the folder; resets/truth.jsonl in it says of each capture what was done to make it.
In the full captures every reset must be named for what it was. In those of SYN, FIN and RST only the
name may be another one, but never with the word `certain`. Pattern and who closed first must be right
in both, wherever the packets decide them.
"""

import json
import os
import pathlib
import subprocess
import sys

# What was done, and the names that are right for it. Two names: packets cannot tell them apart, and
# the sentence of the rule names the other.
RIGHT = {
    'close-with-unread-data': {'rst-unread-data'},
    'linger-zero': {'rst-linger-zero'},
    'linger2-negative': {'rst-linger-zero'},
    'sock-destroy': {'rst-linger-zero'},  # `ss -K` aborts as SO_LINGER does
    'listener-closed': {'rst-listener-closed'},
    'data-after-close': {'rst-after-close'},
    'refused': {'rst-refused'},
    'firewall-reject': {'rst-refused', 'rst-admin', 'rst-injected'},
    'no-socket': {'rst-no-such-connection', 'rst-after-fin-complete'},
    'half-open': {'rst-half-open'},
    'forged': {'rst-injected'},
    'forged-ignored': {'rst-injected'},
    'fin-timeout-expired': {'rst-no-such-connection'},
    'keepalive-timeout': {'rst-keepalive-timeout'},
}
# Nothing was outstanding, or what was is not in the file: packets cannot tell `silent` from `open`.
UNDECIDED = {'silent_vanish', 'user_timeout_data'}

results = []


def check(name, bad):
    results.append(not bad)
    print(f'{"not ok" if bad else "ok"} {len(results)} - {name}', flush=True)
    for line in bad:
        print('#', line)


def ask(tool, path):
    run = subprocess.run([tool, 'pcap', '--json', path], capture_output=True, timeout=60, check=False)
    return json.loads(run.stdout)['connections']


def the_one(connections, truth):
    """The first connection between the two ends that the truth names."""
    ends = [(truth[side]['addr'], truth[side]['port']) for side in ('client', 'server')]
    return next(c for c in connections
                if [(c[side]['addr'], c[side]['port']) for side in ('client', 'server')] == ends)


def wrong_cause(truth, rst):
    right = RIGHT[truth['cause']]
    if truth['capture'] == 'full':
        return rst['cause'] not in right
    return rst['certainty'] == 'certain' and rst['cause'] not in right


def wrong_ending(truth, c):
    """Pattern and first closer, where the packets decide them."""
    if truth['closed_first'] and c['closed_first'] != truth['closed_first']:
        yield f'closed first: {c["closed_first"]}, it was {truth["closed_first"]}'
    if truth['end_pattern'] in (None, c['pattern']):
        return
    if truth['scenario'] in UNDECIDED and c['pattern'] == 'open':
        return
    # Ignored, as only a segment without those three flags shows.
    if truth['cause'] == 'forged-ignored' and truth['capture'] == 'finrst':
        return
    yield f'pattern: {c["pattern"]}, it was {truth["end_pattern"]}'


def main():
    folder = pathlib.Path(os.environ.get('TCPWHY_CORPUS') or '/nonexistent') / 'resets'
    if not (folder / 'truth.jsonl').exists():
        print('1..0 # SKIP TCPWHY_CORPUS names no folder with real resets')
        return 0
    n = {'full': 0, 'finrst': 0}
    causes = {'full': [], 'finrst': []}
    endings = []
    for truth in map(json.loads, (folder / 'truth.jsonl').read_text().splitlines()):
        c = the_one(ask(sys.argv[1], folder / truth['file']), truth)
        endings += [f'{truth["file"]}: {w}' for w in wrong_ending(truth, c)]
        if bool(truth['sender']) != bool(c['rsts']):
            causes[truth['capture']].append(f'{truth["file"]}: {len(c["rsts"])} resets')
        for rst in c['rsts']:
            n[truth['capture']] += 1
            if truth['cause'] == 'none' or wrong_cause(truth, rst):
                causes[truth['capture']].append(
                    f'{truth["file"]}: {rst["cause"]} ({rst["certainty"]}), it was {truth["cause"]}')
    check(f'{n["full"]} resets of full captures have their right cause', causes['full'] if n['full'] else ['none'])
    check(f'{n["finrst"]} resets without the other segments: nothing wrong is certain',
          causes['finrst'] if n['finrst'] else ['none'])
    check('who closed first, and the pattern', endings)
    print(f'1..{len(results)}')
    return 0 if all(results) else 1


sys.exit(main())
