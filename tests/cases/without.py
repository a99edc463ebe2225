#!/usr/bin/env python3
"""Certainty is earned: each recorded case is judged again with one piece of evidence taken away.

without.py TCPWHY. TAP. Nothing may become more certain or severe, no rule that leans on the evidence may
stay as sure as it was, and what nobody could see must be said. DEFENDED has what is left of each rule.
"""

import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
NLMSG, DIAG, ATTR = struct.Struct('<IHHII'), 72, struct.Struct('<HH')
DIAG_TYPES, INFO = (18, 20), 2
LEVELS = ['unknown', 'possible', 'likely', 'certain']
SEVERITIES = ['', 'note', 'warning', 'problem']


def aligned(n):
    return (n + 3) & ~3


def attributes(body):
    at = 0
    while at + ATTR.size <= len(body):
        length, kind = ATTR.unpack_from(body, at)
        if length < ATTR.size:
            return
        yield kind & 0x3fff, body[at:at + aligned(length)]
        at += aligned(length)


def stripped(dump):
    """The kernel's answers without tcp_info, as an old kernel or a request gives them."""
    out, at = b'', 0
    while at + NLMSG.size <= len(dump):
        length, kind, *rest = NLMSG.unpack_from(dump, at)
        body = dump[at + NLMSG.size:at + length]
        if kind in DIAG_TYPES:
            body = body[:DIAG] + b''.join(a for k, a in attributes(body[DIAG:]) if k != INFO)
        out += NLMSG.pack(NLMSG.size + len(body), kind, *rest) + body
        out += b'\0' * (aligned(len(out)) - len(out))
        at += aligned(length)
    return out


def edit(path, change):
    path.write_text(change(path.read_text()))


def no_info(case):
    for path in case.glob('look/netns.*/netlink.*'):
        path.write_bytes(stripped(path.read_bytes()))


def no_root(case):
    """Other users' processes: their directories are there, their descriptors are not."""
    for path in case.glob('look/proc/[0-9]*/fd'):
        shutil.rmtree(path)
    gap = 'gap\towners\t/proc/4/fd\tpermission denied\ta socket may belong to one of them\t1\n'
    edit(case / 'look/look', lambda text: text.replace('owners\tcomplete', 'owners\tpartial') + gap)


def no_proc(case):
    shutil.rmtree(case / 'look/proc', ignore_errors=True)
    edit(case / 'look/look', lambda text: text.replace('owners\tcomplete', 'owners\tnone'))


def no_packets(case):
    (case / 'capture.pcap').unlink(missing_ok=True)


def no_times(case):
    """Ages come from either."""
    no_info(case)
    no_packets(case)


REMOVALS = {'info': no_info, 'packets': no_packets, 'times': no_times, 'root': no_root, 'proc': no_proc}

# What a rule says without that evidence; nothing: as much as with it. A socket's state, queues and timer
# come with every dump, and what is read off them alone stays certain.
UNKNOWN_OWNER = {'root': 'unknown', 'proc': 'unknown'}
UNKNOWN_AGE = {'times': 'unknown'}
UNKNOWN_FLOW = {'packets': 'unknown', 'times': 'unknown'}
HELD = {**UNKNOWN_AGE, **UNKNOWN_OWNER}
DEFENDED = {
    'close-wait-data-unread': HELD,
    'close-wait-eof-unread': HELD,
    'close-wait-epoll-deaf': HELD,
    'close-wait-idle-pool': HELD,
    'close-wait-kernel-held': HELD,
    'close-wait-leaked-fd': HELD,
    'close-wait-ordinary': UNKNOWN_AGE,
    'close-wait-send-stuck': {'info': 'unknown', 'times': 'unknown'},  # its probes are answered
    'close-wait-shared-fd': HELD,
    'close-wait-stopped-process': HELD,
    'fin-unanswered': UNKNOWN_FLOW,
    'fin-wait-1-no-timer': {'info': 'unknown', 'times': 'unknown'},
    'fin-wait-1-zero-window': {'info': 'unknown', 'times': 'unknown'},
    'fin-wait-2-held': {'info': 'unknown', **HELD},
    'fin-wait-2-ordinary': {'info': 'unknown', **UNKNOWN_AGE},
    'half-close-long': UNKNOWN_FLOW,
    'nofile-near-limit': UNKNOWN_OWNER,
    'rst-after-close': UNKNOWN_FLOW,
    'rst-refused': UNKNOWN_FLOW,
    'send-refused-here': {'info': 'unknown', 'times': 'unknown'},
}


def why(tool, case):
    argv = [tool, 'why', '--json', '--from', 'look']
    if (case / 'capture.pcap').exists():
        argv += ['-r', 'capture.pcap']
    if (case / 'args').exists():
        argv += (case / 'args').read_text().split()
    run = subprocess.run(argv, cwd=case, capture_output=True, text=True, timeout=60, check=False,
                         env={**os.environ, 'LC_ALL': 'C.UTF-8'}, stdin=subprocess.DEVNULL)
    return json.loads(run.stdout)


def claim(document, rule):
    """How sure the report is of the rule, and how it names the severity."""
    found = [f for f in document['findings'] if f['rule'] == rule]
    if not found:
        return 'unknown', ''
    best = max(found, key=lambda f: LEVELS.index(f['certainty']))
    return best['certainty'], best['severity']


def is_said(document):
    """What is merely possible names what else it may be."""
    findings = document['findings']
    return bool(document['gaps']) or any(f['rule'] == 'unjudged' for f in findings) or \
        bool(findings) and all(f['certainty'] == 'possible' for f in findings)


def check_case(tool, case, tmp):
    rule = case.name
    full = claim(why(tool, case), rule)
    for name, remove in REMOVALS.items():
        copy = pathlib.Path(tmp, f'{rule}.{name}')
        shutil.copytree(case, copy, symlinks=True)
        remove(copy)
        document = why(tool, copy)
        left, severity = claim(document, rule)
        wanted = DEFENDED.get(rule, {}).get(name, full[0])
        yield f'{rule} without {name}: {wanted}', left == wanted, left
        yield (f'{rule} without {name}: not more severe', SEVERITIES.index(severity) <=
               SEVERITIES.index(full[1]), severity)
        # Nobody promised packets.
        if left == 'unknown' and DEFENDED.get(rule, {}).get('packets') != 'unknown':
            yield f'{rule} without {name}: that something is missing is said', is_said(document), document


def main():
    tool = pathlib.Path(sys.argv[1]).resolve()
    number = failed = 0
    with tempfile.TemporaryDirectory() as tmp:
        for look in sorted(HERE.glob('*/look')):
            if (look.parent / 'status').exists():
                continue
            for what, good, seen in check_case(tool, look.parent, tmp):
                number += 1
                failed += not good
                print(f'{"ok" if good else "not ok"} {number} - {what}')
                if not good:
                    print(f'# {str(seen)[:600]}')
    print(f'1..{number}')
    return 1 if failed or not number else 0


if __name__ == '__main__':
    sys.exit(main())
