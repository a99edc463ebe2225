#!/usr/bin/env python3
"""The examples of the README and the manual pages: each is run, and prints what the page prints.

run.py [--update] TCPWHY PAGE... A page is Markdown or mdoc. A line `$ COMMAND` in a literal block is
followed by all that the command prints, at 80 columns; a command without `$` is only run, and must
neither complain nor fail. --update puts into the pages what is printed now: read it before you commit.

How it works: commands run in a folder with the files of FILES, through a `tcpwhy` that looks at the
recorded host of this folder wherever a command looks at a host and names none. What needs a kernel
(LIVE) runs on this one, in a network namespace of its own, and its numbers are not compared. What
would take long, or write where it may not, is changed by STANDS_FOR; what cannot be run has its
reason in NOT_RUN, and anything else that is no tcpwhy is refused.
"""

import difflib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'netns'))
import stage  # pylint: disable=wrong-import-position

HERE = pathlib.Path(__file__).resolve().parent
HOST = 'db7'
FILES = {'fin.pcap': 'fin.pcap', 'upload.pcapng': 'upload.pcapng', 'incident.pcap': 'fin.pcap',
         'half.pcap': '../cases/half-close-long/capture.pcap', 'lan.pcap': 'fin.pcap', 'wan.pcap': 'fin.pcap',
         HOST: HOST}
PATIENCE_S = 60
WIDTH = 80

STANDS_FOR = [
    (r'\bsudo ', ''),
    (r'--for[ =]\S+', '--for 300ms'),
    (r'\beth0\b', 'lo'),
    (r'\b(tcpwhy watch\b.*) -c \d+', r'\1'),
    (r'\btcpwhy watch\b', 'tcpwhy watch -c 1'),
    (r'/var/lib/prometheus/node-exporter/', ''),
    (r'/etc/sysctl\.d/', ''),
]
# A command that begins so, and why it is not run.
NOT_RUN = {
    './bootstrap': 'it is what runs these tests',
    'tcpdump ': 'it captures until it is stopped',
    'meson ': 'the build and the installation have tests of their own',
    'build/': 'the build and the installation have tests of their own',
}
LIVE = re.compile(r'\btcpwhy (lab\b|watch\b|snapshot\b|(?!list).*-i |.*(--interface|--record|-N |-A\b|--all-netns|--netns))')
BEGINS = re.compile(r'(sudo )?(tcpwhy|tcpdump|gzip|\./bootstrap|meson|build/)\b')

WRAPPER = '''#!/bin/sh
# A host that is not named is the recorded one.
command=why
case ${{1:-}} in
why | list | audit | check) command=$1; shift ;;
pcap | explain | lab | watch | snapshot | -*help | -*version | -h | -V) exec '{tool}' "$@" ;;
esac
for word; do
	case $command$word in
	why-i | *--interface* | *--from* | *--record* | *-N | *-A | *--netns* | *--all-netns) exec '{tool}' "$command" "$@" ;;
	esac
done
exec '{tool}' "$command" --from {host} "$@"
'''

FROM_MDOC = [('\\(->', '→'), ('\\(aq', "'"), ('\\(dq', '"'), ('\\(ga', '`'), ('\\(ha', '^'), ('\\(ti', '~'), ('\\&', ''),
             ('\\e', '\\')]


def from_mdoc(line):
    for roff, text in FROM_MDOC:
        line = line.replace(roff, text)
    return line


def to_mdoc(line):
    line = line.replace('\\', '\\e')
    for roff, text in FROM_MDOC[:5]:
        line = line.replace(text, roff)
    return '\\&' + line if line.startswith(('.', "\\(aq")) else line


def is_mdoc(path):
    return path.suffix != '.md'


def blocks(path, lines):
    """(first line, end) of each literal block, as slices of the page's lines."""
    begin = None
    opens, closes = (r'\.Bd -literal', r'\.Ed') if is_mdoc(path) else (r'```', r'```')
    for number, line in enumerate(lines):
        if begin is None and re.match(opens, line):
            begin = number + 1
        elif begin is not None and re.match(closes, line):
            yield begin, number
            begin = None


def inline(path, lines, taken):
    """Commands outside of blocks: indented or in backticks; .Dl of a page."""
    for number, line in enumerate(lines):
        if number in taken:
            continue
        if is_mdoc(path):
            found = [line[4:]] if line.startswith('.Dl ') else []
        elif line.startswith('    '):
            found = [line.strip()]
        else:
            found = re.findall(r'`((?:sudo )?tcpwhy [^`]+)`', line)
        for text in found:
            text = from_mdoc(text) if is_mdoc(path) else text
            if BEGINS.match(text):
                yield number, text


def examples(path):
    """(line number, command, slice of its output or None) in the order of the page."""
    lines = path.read_text().split('\n')
    taken, found = set(), []
    for begin, end in blocks(path, lines):
        taken.update(range(begin, end))
        body = [from_mdoc(line) if is_mdoc(path) else line for line in lines[begin:end]]
        if any(line.startswith('$ ') for line in body):
            starts = [n for n, line in enumerate(body) if line.startswith('$ ')] + [len(body)]
            for this, following in zip(starts, starts[1:]):
                found.append((begin + this, body[this][2:],
                              slice(begin + this + 1, begin + following)))
        else:
            commands = '\n'.join(body).replace('\\\n', '')
            found += [(begin, line, None) for line in commands.split('\n') if BEGINS.match(line)]
    found += [(number, text, None) for number, text in inline(path, lines, taken)]
    return sorted(found, key=lambda example: example[0])


def reason_not_to_run(command):
    if '| jq ' in command and not shutil.which('jq'):
        return 'no jq here'
    for beginning, reason in NOT_RUN.items():
        if command.removeprefix('sudo ').startswith(beginning):
            return reason
    return None


class Workshop:
    """The folder in which the commands run."""

    def __init__(self, tool, folder):
        self.folder = pathlib.Path(folder)
        for name, source in FILES.items():
            if (HERE / source).is_dir():
                shutil.copytree(HERE / source, self.folder / name, symlinks=True)
            else:
                shutil.copy(HERE / source, self.folder / name)
        (self.folder / 'bin').mkdir()
        wrapper = self.folder / 'bin/tcpwhy'
        wrapper.write_text(WRAPPER.format(tool=tool, host=HOST))
        wrapper.chmod(0o755)
        self.env = {**os.environ, 'PATH': f'{self.folder}/bin:{os.environ["PATH"]}', 'TZ': 'UTC',
                    'LC_ALL': 'C.UTF-8', 'COLUMNS': str(WIDTH), 'NO_COLOR': '1'}
        self.env.pop('LANGUAGE', None)

    def run(self, command):
        for pattern, other in STANDS_FOR:
            command = re.sub(pattern, other, command)
        done = subprocess.run(['sh', '-c', command], cwd=self.folder, env=self.env, text=True,
                              capture_output=True, check=False, timeout=PATIENCE_S,
                              stdin=subprocess.DEVNULL)
        return done.stdout.replace(f', from {HOST}', ''), done.returncode, done.stderr


def masked(text):
    return re.sub(r'\d[\d.,:]*', 'N', text)


def wrong_with(shop, path, command, printed_slice):
    text, status, said = shop.run(command)
    is_live = LIVE.search(command)
    # What can be seen of this host depends on who runs the tests.
    if said and not (is_live and status < 2):
        yield f'on standard error: {said}'
    # Where the status is the answer, 1 and 2 are answers.
    if status > 2 or status and not is_live and not re.search(r'--exit-code|tcpwhy check', command):
        yield f'status {status}'
    if printed_slice is None:
        return
    lines = path.read_text().split('\n')[printed_slice]
    want = [from_mdoc(line) if is_mdoc(path) else line for line in lines]
    got = text.rstrip('\n').split('\n')
    while want and not want[-1]:
        want.pop()
    if is_live:
        want, got = ([masked(line) for line in side] for side in (want, got))
    yield from difflib.unified_diff(want, got, str(path.name), 'printed', lineterm='')


def test(shop, path, may_unshare):
    for number, command, printed_slice in examples(path):
        name = f'{path.name}:{number + 1} {command}'.replace('#', '-')
        reason = reason_not_to_run(command)
        if reason:
            print(f'# not run: {name}: {reason}')
        elif not re.search(r'(^|\s|\|)tcpwhy\b', command):
            stage.check(name, False, 'nobody knows how to run this')
        elif LIVE.search(command) and not may_unshare:
            stage.results.append(True)
            print(f'ok {len(stage.results)} - {name} # SKIP no namespace may be made here')
        else:
            wrong = list(wrong_with(shop, path, command, printed_slice))
            stage.check(name, not wrong, '\n'.join(wrong))


def update(shop, path):
    for _, command, printed_slice in reversed(examples(path)):
        if printed_slice is None or reason_not_to_run(command):
            continue
        text, _, said = shop.run(command)
        if said:
            sys.exit(f'{path}: {command}: {said}')
        lines = path.read_text().split('\n')
        was = lines[printed_slice]
        new = [to_mdoc(line) if is_mdoc(path) else line for line in text.rstrip('\n').split('\n')]
        # A live example changes with every run: it is left alone while only numbers differ.
        if LIVE.search(command) and masked('\n'.join(was).rstrip('\n')) == masked('\n'.join(new)):
            continue
        gap = was[len('\n'.join(was).rstrip('\n').split('\n')):]
        lines[printed_slice] = new + gap
        path.write_text('\n'.join(lines))


def main():
    words = [w for w in sys.argv[1:] if w != '--update']
    if len(words) < 2:
        sys.exit(__doc__)
    is_update = len(words) < len(sys.argv) - 1
    may_unshare = stage.can_unshare()
    if may_unshare:
        stage.enter()
    tool, pages = pathlib.Path(words[0]).resolve(), [pathlib.Path(w).resolve() for w in words[1:]]
    with tempfile.TemporaryDirectory() as folder:
        shop = Workshop(tool, folder)
        for page in pages:
            if is_update:
                update(shop, page)
            else:
                test(shop, page, may_unshare)
    sys.exit(0 if is_update else stage.end())


if __name__ == '__main__':
    main()
