#!/usr/bin/env python3
"""One case: the whole program on recorded inputs, unprivileged, its output exact to the byte.

run.py [--update] TCPWHY CASE-FOLDER. Each file KIND.SUFFIX of OUTPUTS that lies in the folder is
what `tcpwhy KIND` must print; the words of the file `args` are added. --update rewrites those that
are there, and makes why.txt and why.json where there are none: read them before you commit them.

A folder is named after the rule that its output must name. One that shows something else has a file
`status` with the exit status of `why`, which is 0 elsewhere.
"""

import difflib
import json
import os
import pathlib
import subprocess
import sys

WIDTH = 80
COMMAND = '           $ '  # a command to copy is one line, however long
TABLE = 'Client -> Server'  # rows below it are for wide terminals
SUFFIXES = {'txt': [], 'json': ['--json'], 'jsonl': ['--json-lines']}
OUTPUTS = [f'{kind}.{suffix}' for kind in ('why', 'list', 'pcap') for suffix in SUFFIXES]


def command(tcpwhy, folder, output):
    kind, suffix = output.split('.')
    argv = [tcpwhy, kind, *SUFFIXES[suffix]]
    if kind != 'pcap':
        argv += ['--from', 'look']
    if kind == 'why' and (folder / 'capture.pcap').exists():
        argv += ['-r', 'capture.pcap']
    if (folder / 'args').exists() and kind != 'pcap':
        argv += (folder / 'args').read_text().split()
    return argv + (['capture.pcap'] if kind == 'pcap' else [])


def printed(tcpwhy, folder, output):
    env = {**os.environ, 'TZ': 'UTC', 'LC_ALL': 'C.UTF-8', 'COLUMNS': str(WIDTH), 'NO_COLOR': '1'}
    env.pop('LANGUAGE', None)
    run = subprocess.run(command(tcpwhy, folder, output), cwd=folder, env=env, check=False,
                         capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return run.stdout, run.returncode, run.stderr


def complaints(folder, output, text):
    """What is wrong with an output besides being another one."""
    rule = folder.name
    if output.startswith('why.') and rule not in text and not (folder / 'status').exists():
        yield f'the rule {rule} is not in it'
    if output.endswith('.json'):
        keys = list(json.loads(text))
        if keys[0] != 'schema' or keys[-1] != 'complete':
            yield f'begins with {keys[0]} and ends with {keys[-1]}'
    if output in ('why.txt', 'pcap.txt'):
        for number, line in enumerate(text.splitlines(), 1):
            if line.startswith(TABLE):
                break
            if len(line) > WIDTH and not line.startswith(COMMAND):
                yield f'line {number} is wider than {WIDTH} columns: {line}'


def wanted_status(folder, output):
    path = folder / 'status'
    return int(path.read_text()) if output.startswith('why.') and path.exists() else 0


def judge(tcpwhy, folder, output):
    text, status, said = printed(tcpwhy, folder, output)
    path = folder / output
    want = path.read_text() if path.exists() else ''
    if status != wanted_status(folder, output):
        yield f'status {status}'
    if said:
        yield f'on standard error: {said}'
    yield from complaints(folder, output, text)
    yield from difflib.unified_diff(want.splitlines(), text.splitlines(), str(path), 'printed',
                                    lineterm='')
    if want != text and want.splitlines() == text.splitlines():
        yield 'another end of the last line'


def update(tcpwhy, folder):
    for output in OUTPUTS:
        if (folder / output).exists() or output in ('why.txt', 'why.json'):
            text, status, said = printed(tcpwhy, folder, output)
            if status != wanted_status(folder, output) or said:
                sys.exit(f'{folder}: {output}: status {status}: {said}')
            (folder / output).write_text(text)


def main():
    words = [w for w in sys.argv[1:] if w != '--update']
    if len(words) != 2:
        sys.exit(__doc__)
    tcpwhy, folder = pathlib.Path(words[0]).resolve(), pathlib.Path(words[1]).resolve()
    if len(words) < len(sys.argv) - 1:
        update(tcpwhy, folder)
    outputs = [o for o in OUTPUTS if (folder / o).exists()]
    failed = 0
    print(f'# {(folder / "name").read_text().strip()}')
    for number, output in enumerate(outputs, 1):
        wrong = list(judge(tcpwhy, folder, output))
        failed += bool(wrong)
        print(f'{"not ok" if wrong else "ok"} {number} - {folder.name} {output}')
        for line in wrong:
            print('# ' + line.replace('\n', '\n# '))
    print(f'1..{len(outputs)}')
    sys.exit(1 if failed or not outputs else 0)


if __name__ == '__main__':
    main()
