"""Names that fight back: output.py TCPWHY CASES-FOLDER. TAP.

How it works: a recorded look is rebuilt with a nasty text wherever a stranger could have put one: names
of processes, arguments, units, namespaces, the host, what could not be seen, the folder and the capture
themselves. Every command reads it in every format, and nothing it prints may move the cursor, turn the
reading direction, begin a line that we did not begin, or break the format.
"""

import csv
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unicodedata

TIMEOUT_S = 60
CASE = 'close-wait-leaked-fd'
SAME_EVERYWHERE = ('json', 'lines', 'metrics')  # whatever the locale
FORGED = 'FORGED'
# Each would put a line of its own, or hide what follows, if it came out as it went in.
NASTY = {
    'newline': b'a\nFORGED OK - all is well',
    'return': b'a\r\nFORGED\rFORGED',
    'escape': b'a\x1b[2J\x1b[1;1HFORGED\x1b]0;title\x07\x1b[8m',
    'c1': 'a\u009b2J\u0085FORGED\u009d0;x\u009c'.encode(),
    'raw c1': b'a\x9b2JFORGED\x90',
    'invalid': b'a\xff\xfe\xc0\xaf\xed\xa0\x80\xf5\x80\x80\x80\xe2\x82',
    'bidi': 'a\u202egpj.exe\u2066x\u2069\u200f\u061cb'.encode(),
    'separators': 'a\u2028FORGED\u2029FORGED'.encode(),
    'invisible': 'a\u200b\ufeff\u00ad\U000e0041\U000e0062\u3164\u180eb'.encode(),
    'quotes': b'a","pid":1,"x":"\\',
    'prometheus': b'a"} 1\nFORGED{x="\\"} 1',
    'perfdata': b"a|'close-wait.age'=0;;;;FORGED",
    'shell': b'a$(touch FORGED)`touch FORGED`;touch FORGED',
    'formula': b'=HYPERLINK("http://FORGED","x"),+1',
    'formats': b'a%s%n%n%1000000d{comm}{pid}{{',
    'long': b'a' * 4096,
}
# A name cannot hold this one byte; a line of text cannot hold the other.
FILE_NAMES = {name: text.replace(b'/', b'_')[:100] for name, text in NASTY.items()}
SAMPLE = re.compile(r'[a-z0-9_]+(\{([a-z_]+="([^"\\]|\\["\\n])*"(,|(?=\})))*\})? -?[0-9.]+$')
results = []


def check(name, wrong):
    results.append(not wrong)
    print(f'{"not ok" if wrong else "ok"} {len(results)} - {name}', flush=True)
    for line in wrong:
        print('#', ascii(line)[:600])


def is_harmful(c):
    """Controls, and format characters of Unicode's category Cf and the fillers that look like none."""
    return unicodedata.category(c) in ('Cc', 'Cf', 'Zl', 'Zp', 'Cs') or c in '\u3164\u180e\uffa0\u115f\u1160'


def harm(raw, is_ascii):
    """What is wrong with bytes that go to a terminal or a log."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as e:
        return [f'no UTF-8: {e}: {raw[max(0, e.start - 40):e.start + 20]}']
    wrong = []
    for c in sorted(set(text)):
        if c != '\n' and (is_harmful(c) or (is_ascii and ord(c) > 126)):
            at = text.index(c)
            wrong.append(f'U+{ord(c):04X} in {text[max(0, at - 40):at + 20]}')
    return wrong + [f'forged: {line}' for line in text.split('\n') if line.startswith(FORGED)]


def put(path, content):
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def spoil_process(folder, text, name):
    """The fields behind a name of stat(5) are the kernel's, so the name is put before the last bracket."""
    old = (folder / 'stat').read_bytes()
    put(folder / 'stat', old[:old.index(b'(') + 1] + text + old[old.rindex(b')'):])
    put(folder / 'cmdline', text + b'\0--flag\0' + text)
    put(folder / 'wchan', text)
    put(folder / 'cgroup', b'0::/system.slice/' + name.replace(b'\n', b'') + b'.service\n')


def escaped(text):
    """As a file `look` has it, whose lines and fields are separated by what is escaped."""
    return b''.join(b'%%%02X' % c if c < 32 or c in b'%\x7f' else bytes([c]) for c in text)


def rebuild(base, to, text, name):
    look = to / os.fsdecode(b'look-' + name)
    shutil.copytree(base / 'look', look, symlinks=True)
    for stat in look.glob('proc/*/stat'):
        spoil_process(stat.parent, text, name)
    for file in ('hostname', 'osrelease', 'random/boot_id'):
        put(look / 'proc/sys/kernel' / file, text)
    head = b''.join(line + (b'\t' + escaped(text) if line.startswith(b'netns') else b'') + b'\n'
                    for line in (look / 'look').read_bytes().replace(b'\t\n', b'\n').splitlines())
    gap = b'\t'.join([b'gap', b'owners', *[escaped(text)] * 3, b'2']) + b'\n'
    put(look / 'look', head + gap)
    capture = to / os.fsdecode(b'capture-' + name)
    if (base / 'capture.pcap').exists():
        shutil.copy(base / 'capture.pcap', capture)
    return look, capture


def reports(look, capture):
    """(arguments, what the output must be besides harmless)"""
    here = ['--from', look, '--min-age', '0']
    yield ['why', '-v', *here], None
    yield ['why', '--json', *here, '-r', capture], 'json'
    yield ['list', '-a', '-p', '-o', '-e', '-i', '-m', *here], None
    yield ['list', '-a', '--json', *here], 'json'
    yield ['list', '-a', '--json-lines', *here], 'lines'
    yield ['list', '-a', '--csv', '--columns=+owner,comm,unit,container,netns', *here], 'csv'
    for by in ('owner', 'unit', 'container', 'netns'):
        yield ['list', '-a', '--by', by, *here], None
    yield ['list', '-a', '--by', 'owner', '--json', *here], 'json'
    yield ['check', '-v', *here], 'plugin'
    yield ['check', '--json', *here], 'json'
    yield ['check', '--format=prometheus', '--top=100', *here], 'metrics'
    yield ['check', '--format=openmetrics', '--top=100', *here], 'metrics'
    yield ['audit', '-v', '--from', look], None
    yield ['audit', '--json', '--from', look], 'json'
    yield ['audit', '--draft', '-', '--from', look], 'draft'
    yield ['pcap', '-v', capture], None
    yield ['pcap', '--json', capture], 'json'
    yield ['pcap', '--json-lines', capture], 'lines'


def refusals(name):
    """What is wrong is named: the name must not be believed."""
    gone = b'gone-' + name
    yield ['why', '--from', gone]
    yield ['why', '-r', gone]
    yield ['why', '-N', gone]
    yield ['why', '-i', gone]
    yield ['list', '--by', gone]
    yield ['list', '--record', b'gone/' + name]
    yield ['list', b'state', name]
    yield ['list', b'sport = :', name]
    yield ['list', b'"' + name]
    yield ['list', b'unit x and dst ' + name]
    yield ['pcap', gone]
    yield ['pcap', '/dev/null', gone]
    yield ['explain', gone]
    yield ['audit', gone]
    yield ['audit', '--draft', b'gone/' + name]
    yield ['check', '--config', gone]
    yield ['check', '--warning', name]
    yield ['check', '--warning', b'close-wait.age=' + name]
    yield ['check', '--format=prometheus', '-o', b'gone/' + name]
    yield ['check', '--format=' + os.fsdecode(name)]
    yield ['lab', gone]
    yield ['why', '--min-age', name]
    yield ['why', b'--' + name]
    yield [gone]


def spoiled_format(kind, out):
    text = out.decode(errors='replace')
    lines = text.splitlines() if kind != 'json' else []
    try:
        if kind == 'json':
            json.loads(text)
        elif kind == 'lines':
            for line in text.split('\n')[:-1]:
                json.loads(line)
    except json.JSONDecodeError as e:
        return [f'{e}: {text[max(0, e.pos - 60):e.pos + 40]}']
    if kind == 'csv':
        rows = list(csv.reader(text.splitlines()))
        return [f'no row: {row}' for row in rows if len(row) != len(rows[0])] + \
            [f'a formula: {row}' for row in rows if any(cell[:1] in ('=', '+', '-', '@') for cell in row)]
    if kind == 'plugin' and (text.split('\n')[0].count('|') != 1 or text.count('|') != 1):
        return [f'{text.count("|")} bars: {text}']
    if kind == 'metrics':
        return [f'no sample: {line}' for line in lines if line[:2] != '# ' and not SAMPLE.match(line)]
    if kind == 'draft':
        return [f'no setting: {line}' for line in lines
                if line and line[0] != '#' and not re.match(r'[a-z0-9_.]+ = [0-9 ]+$', line)]
    return []


def run(tool, argv, where, locale):
    env = {'PATH': os.environ['PATH'], 'LC_ALL': locale, 'TZ': 'UTC'}
    for name in ('ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LSAN_OPTIONS'):
        if name in os.environ:
            env[name] = os.environ[name]
    return subprocess.run([tool, *argv], cwd=where, env=env, capture_output=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=TIMEOUT_S)


def judge(tool, argv, kind, where):
    wrong = []
    for locale in ('C.UTF-8',) if kind in SAME_EVERYWHERE else ('C.UTF-8', 'C'):
        done = run(tool, argv, where, locale)
        found = harm(done.stdout, locale == 'C') + harm(done.stderr, locale == 'C')
        if kind:
            found += spoiled_format(kind, done.stdout)
        if done.returncode < 0 or done.returncode > 3 or b'Sanitizer' in done.stderr:
            found.append(f'status {done.returncode}: {done.stderr[-300:]}')
        wrong += [f'{argv} ({locale}): {line}' for line in found]
    return wrong


def selftest():
    for name, text in NASTY.items():
        if name not in ('quotes', 'perfdata', 'formula', 'shell', 'formats', 'long') and not harm(text, False):
            yield f'{name} went through'
    if spoiled_format('json', b'{"a":"a","pid":1,"x":"\\"}') == []:
        yield 'broken JSON went through'
    if spoiled_format('plugin', b"OK - a|'x'=0 | 'y'=1\n") == []:
        yield 'a second bar went through'
    if spoiled_format('csv', b'a,b\nx,"y"\n1,2,3\n') == [] or spoiled_format('csv', b'a\n=1\n') == []:
        yield 'a forged row or a formula went through'
    if spoiled_format('metrics', b'm{c="a"} 1\nFORGED{x="\\"} 1\n') == []:
        yield 'a forged sample went through'


def main():
    tool, cases = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    check('this test can fail', list(selftest()))
    for kind, text in NASTY.items():
        name = FILE_NAMES[kind]
        with tempfile.TemporaryDirectory() as tmp:
            where = pathlib.Path(tmp)
            look, capture = rebuild(cases / CASE, where, text, name)
            check(f'{kind}: reports', [line for argv, format_of in reports(look.name, capture.name)
                                       for line in judge(tool, argv, format_of, where)])
            check(f'{kind}: refusals', [line for argv in refusals(name)
                                        for line in judge(tool, argv, None, where)])
            check(f'{kind}: nothing was run', [str(p) for p in where.rglob(FORGED)])
    print(f'1..{len(results)}')
    return 0 if all(results) else 1


sys.exit(main())
