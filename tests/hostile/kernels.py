"""Recorded looks in the shape of other kernels: kernels.py TCPWHY CASES-FOLDER. TAP.

How it works: the answers of the kernel in every case are rewritten: tcp_info cut to what that kernel has,
attributes taken out that it did not know, or, for a kernel of the future, a longer one and attributes,
messages and files nobody knows yet. What no rule reads must not change a finding. A shape without what rules
need must not let them answer as if it were there: no age out of nothing, no finding that it carried.

Sizes of tcp_info: 4.19 ends behind tcpi_reord_seen, 5.4 behind tcpi_snd_wnd, which is there to 6.1. Without
the peer's window it takes an inference to tell whether it is open.
Source: include/uapi/linux/tcp.h and inet_diag.h of these versions.
"""

import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

TIMEOUT_S = 60
GETSOCK, DONE, DIAG_LEN, HEADER = (18, 20), 3, 72, 16
INFO, TOS, SHUTDOWN, SKMEMINFO, MARK, ULP_INFO, CGROUP_ID, SOCKOPT = 2, 5, 8, 7, 15, 19, 21, 22
BY_THE_WINDOW = {'close-wait-send-stuck', 'fin-wait-1-zero-window', 'send-refused-here'}
SHAPES = {
    '4.19': {'info': 224, 'without': {ULP_INFO, CGROUP_ID, SOCKOPT}, 'likely': BY_THE_WINDOW},
    '5.4': {'info': 232, 'without': {CGROUP_ID, SOCKOPT}},
    '5.10': {'info': 232, 'without': set()},
    '5.15': {'info': 232, 'without': set()},
    '6.1': {'info': 232, 'without': set()},
    '9.9': {'info': 600, 'without': set(), 'is_future': True},
    'no tcp_info': {'info': 0, 'without': {INFO}},
    'tcp_info before the times': {'info': 40, 'without': set()},
    'no attribute but the shutdown': {'info': 0, 'without': {INFO, SKMEMINFO, MARK, ULP_INFO, CGROUP_ID, SOCKOPT}},
}
# What is left to say without tcp_info and without a capture: that it cannot be judged, or what minisocks,
# queues and retransmissions tell.
UNKNOWNS = {
    'close-wait-leaked-fd': {'unjudged', 'fin-wait-2-orphan'},
    'close-wait-eof-unread': {'unjudged', 'fin-wait-2-orphan'},
    'fin-wait-1-zero-window': {'unjudged'},
    'fin-wait-2-held': {'unjudged'},
    'time-wait-ordinary': {'time-wait-ordinary'},
    'accept-queue-full': {'accept-queue-full'},
}
# Settings by the version that brought them; earlier looks have no such file.
SINCE = {'tcp_tw_reuse_delay': (6, 14), 'ip_local_port_step_width': (6, 17)}
results = []


def check(name, wrong):
    results.append(not wrong)
    print(f'{"not ok" if wrong else "ok"} {len(results)} - {name}', flush=True)
    for line in wrong[:20]:
        print('#', str(line)[:400])


def pad(data):
    return data + b'\0' * (-len(data) % 4)


def attribute(kind, payload):
    return pad(struct.pack('=HH', 4 + len(payload), kind) + payload)


def attributes(body):
    while len(body) >= 4:
        length, kind = struct.unpack_from('=HH', body)
        yield kind & 0x3fff, body[4:length]
        body = body[(length + 3) & ~3:]


def reshape_row(row, shape):
    out = row[:DIAG_LEN]
    if shape.get('is_future'):
        # Unknown, nested, empty, and a mark above 8 bits in front of what we know.
        out += attribute(40, b'') + attribute(0x8000 | 41, attribute(1, b'x' * 9)) + attribute(999, b'\xff' * 301)
    for kind, payload in attributes(row[DIAG_LEN:]):
        if kind in shape['without']:
            continue
        if kind == INFO:
            payload = payload[:shape['info']].ljust(shape['info'], b'\xfe') if shape['info'] >= len(payload) \
                else payload[:shape['info']]
        elif shape.get('is_future') and kind == SKMEMINFO:
            payload += b'\xfe' * 24
        out += attribute(kind, payload)
    return out


def messages(data):
    while len(data) >= HEADER:
        length, kind, flags, seq, pid = struct.unpack_from('=IHHII', data)
        yield kind, flags, seq, pid, data[HEADER:length]
        data = data[(length + 3) & ~3:]


def message(kind, flags, seq, pid, body):
    return pad(struct.pack('=IHHII', HEADER + len(body), kind, flags, seq, pid) + body)


def reshape(data, shape):
    out = b''
    for kind, flags, seq, pid, body in messages(data):
        if kind in GETSOCK:
            body = reshape_row(body, shape)
            if shape.get('is_future'):
                out += message(0x7abc, flags, seq, pid, b'\xff' * 64)
        if kind == DONE and shape.get('is_future'):
            body += attribute(1, b'a word of explanation\0')
        out += message(kind, flags, seq, pid, body)
    return out


def rebuild(case, to, name, shape):
    look = to / 'look'
    shutil.copytree(case / 'look', look, symlinks=True)
    for answer in look.glob('netns.*/netlink.*'):
        answer.write_bytes(reshape(answer.read_bytes(), shape))
    version = tuple(int(part) for part in name.split('.')) if name[0].isdigit() else (6, 1)
    (look / 'proc/sys/kernel/osrelease').write_text(f'{version[0]}.{version[1]}.0\n')
    for file in look.glob('netns.*/sys/net/ipv4/*'):
        if SINCE.get(file.name, (0, 0)) > version:
            file.unlink()
    if shape.get('is_future'):
        (look / 'netns.0/sys/net/ipv4/tcp_future').write_text('a b c\n')
        (look / 'future').write_text('?')
        for stat in look.glob('proc/*/stat'):
            stat.write_text(stat.read_text().rstrip('\n') + ' 1 2 3 future\n')
        for status in look.glob('proc/*/status'):
            status.write_text('Future:\t1\n' + status.read_text() + 'Later:\tx\n')
    return look


def run(tool, case, where, command, with_capture=True):
    argv = [tool, command, '--json', '--from', 'look', *(['-a'] if command == 'list' else [])]
    if command == 'why' and with_capture and (case / 'capture.pcap').exists():
        argv += ['-r', case / 'capture.pcap']
    if (case / 'args').exists():
        argv += (case / 'args').read_text().split()
    done = subprocess.run(argv, cwd=where, capture_output=True, check=False, timeout=TIMEOUT_S,
                          env={**os.environ, 'LC_ALL': 'C.UTF-8', 'TZ': 'UTC'})
    return json.loads(done.stdout) if done.stdout else {'failed': done.stderr.decode(errors='replace')}


def gist(document, likely=frozenset()):
    """Of findings what they claim, `likely` that these are no more; texts name versions and settings."""
    return sorted((f['rule'], f['severity'], 'likely' if f['rule'] in likely else f['certainty'], f['count'],
                   f['subject']['pid'] or 0, f['oldest_ms'] or 0) for f in document.get('findings', []))


def same(was, now, likely):
    if 'failed' in now:
        return [now['failed']]
    wrong = [f'{key}: {now.get(key)} instead of {was[key]}' for key in ('states', 'gaps', 'complete')
             if key in was and was[key] != now.get(key)]
    if gist(was, likely) != gist(now):
        wrong.append(f'findings {gist(now)} instead of {gist(was, likely)}')
    if was.get('sockets') != now.get('sockets'):
        wrong += [f'{b} instead of {a}' for a, b in zip(was['sockets'], now['sockets']) if a != b]
    return wrong


def honest(was, now):
    """Without tcp_info: the rows are there, ages are bounds of what is left or unknown, never zero."""
    if 'failed' in now:
        return [now['failed']]
    wrong = []
    for a, b in zip(was.get('sockets', []), now.get('sockets', [])):
        if a['cookie'] != b['cookie'] or a['state'] != b['state']:
            wrong.append(f'another row: {b}')
        # What a timer tells is still there: minisocks, and full sockets by what they retransmit.
        if b['age_ms'] and b['timer']['name'] == 'off':
            wrong.append(f'an age out of nothing: {b["age_ms"]} of {b["state"]}')
    if len(was.get('sockets', [])) != len(now.get('sockets', [])):
        wrong.append('rows are missing')
    if was.get('states') != now.get('states'):
        wrong.append(f'states {now.get("states")}')
    for f in now.get('findings', []):
        if f['certainty'] == 'certain' and f['rule'] not in {g['rule'] for g in was['findings']} and \
                f['rule'] != 'unjudged':
            wrong.append(f'more certain for knowing less: {f["rule"]}')
    return wrong


def unknowns(tool, case, where):
    if case.name in UNKNOWNS:
        rules = {f['rule'] for f in run(tool, case, where, 'why', with_capture=False)['findings']}
        if rules != UNKNOWNS[case.name]:
            yield f'{case.name}: {sorted(rules)} instead of {sorted(UNKNOWNS[case.name])}'


def main():
    tool, cases = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    # A look that was cut short has half a message at its end, which cannot be rewritten.
    looks = [case for case in sorted(cases.iterdir()) if (case / 'look/look').exists() and
             not (case / 'status').exists()]
    original = {(case, command): run(tool, case, case, command) for case in looks for command in ('why', 'list')}
    for name, shape in SHAPES.items():
        wrong, n_changed = [], 0
        for case in looks:
            with tempfile.TemporaryDirectory() as tmp:
                rebuild(case, pathlib.Path(tmp), name, shape)
                if shape['info'] < 104:
                    wrong += unknowns(tool, case, tmp)
                for command in ('why', 'list'):
                    was, now = original[case, command], run(tool, case, tmp, command)
                    found = same(was, now, shape.get('likely', ())) if shape['info'] >= 104 else honest(was, now)
                    wrong += [f'{case.name}: {command}: {line}' for line in found]
                    n_changed += gist(was) != gist(now)
        if shape['info'] < 104 and n_changed == 0:
            wrong.append('no case lost anything: this shape shows nothing')
        check(f'{name}: {len(looks)} looks', wrong)
    print(f'1..{len(results)}')
    return 0 if all(results) else 1


sys.exit(main())
