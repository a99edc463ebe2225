#!/usr/bin/env python3
"""What a terminal shows: screens of 80x24, colour, plain ASCII, widths, names of other scripts.

access.py TCPWHY. Meaning is never by colour alone: without it the text is the same.
"""

import fcntl
import json
import os
import pathlib
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import unicodedata

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'netns'))
import stage  # pylint: disable=wrong-import-position

HERE = pathlib.Path(__file__).resolve().parent
LOOK = ['--from', str(HERE / 'db7')]
CAPTURE = str(HERE / 'upload.pcapng')
REPORTS = [['why', *LOOK, '-r', str(HERE / 'fin.pcap')], ['pcap', CAPTURE], ['explain', 'CLOSE-WAIT'], ['audit', *LOOK],
           ['list', *LOOK], ['list', *LOOK, '--by', 'owner'], ['check', *LOOK], ['explain'], ['lab']]
TABLE = 'Client -> Server'  # rows below it are for wide terminals
COMMAND = '           $ '  # a command to copy is one line, however long
UTF8, C = {'LC_ALL': 'C.UTF-8'}, {'LC_ALL': 'C'}


def environment(more):
    env = {k: v for k, v in os.environ.items() if k not in ('NO_COLOR', 'COLUMNS', 'LANGUAGE', 'LANG')}
    return {**env, 'TERM': 'xterm', 'TZ': 'UTC', 'PAGER': 'cat', **more}


def piped(tool, words, more):
    done = subprocess.run([tool, *words], env=environment(more), capture_output=True, check=False, timeout=60)
    return (done.stdout + done.stderr).decode(errors='replace')


def on_terminal(tool, words, more, columns=80):
    """What is printed where the standard output is a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
    child = subprocess.Popen([tool, *words], stdout=theirs, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                             env=environment(more))
    os.close(theirs)
    said = b''
    try:
        while part := os.read(ours, 65536):
            said += part
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    child.wait(60)
    return said.decode(errors='replace').replace('\r\n', '\n')


def uncoloured(text):
    return re.sub(r'\x1b\[[0-9;]*m', '', text)


def columns_of(text):
    return sum(0 if unicodedata.category(c) in ('Cf', 'Mn') else 2 if unicodedata.east_asian_width(c) in 'WF' else 1
               for c in text)


def test_help(tool):
    commands = re.findall(r'^  ([a-z]+) ', piped(tool, ['--help'], UTF8), re.M)
    stage.check('--help names the commands', {'why', 'list', 'pcap', 'explain'} <= set(commands), commands)
    for words in [['--help'], *([name, '--help'] for name in commands)]:
        for locale in UTF8, C:
            lines = piped(tool, words, locale).splitlines()
            wide = [line for line in lines if len(line) > 80]
            # One line is left for the prompt.
            stage.check(f'{" ".join(words)}: a screen of 80x24, {locale["LC_ALL"]}', 3 < len(lines) < 24 and not wide,
                        [len(lines), *wide])


def test_mistakes(tool):
    for words, meant in ((['lsit'], 'tcpwhy list'), (['ceck'], 'tcpwhy check'), (['list', '--jsn'], '--json'),
                         (['list', '--colums=state'], '--columns?'), ([CAPTURE], f'tcpwhy pcap {CAPTURE}'),
                         (['explain', 'close-wait-leeked-fd'], 'close-wait-leaked-fd'), (['explain', 'ECONRESET'], 'ECONNRESET')):
        said = piped(tool, words, UTF8)
        stage.check(f'{" ".join(words)}: did you mean {meant}?', 'Did you mean' in said and meant in said, said)
    stage.check('a wrong filter is no mistyped command', 'Did you mean' not in piped(tool, ['xyzzy'], UTF8))


def test_colour(tool):
    for words in REPORTS[:4]:
        name = words[0]
        plain = on_terminal(tool, words, {**UTF8, 'NO_COLOR': '1'})
        stage.check(f'{name}: no colour with NO_COLOR', plain and '\x1b' not in plain, plain)
        stage.check(f'{name}: none with --color=never', on_terminal(tool, [*words, '--color=never'], UTF8) == plain)
        stage.check(f'{name}: none on a dumb terminal', on_terminal(tool, words, {**UTF8, 'TERM': 'dumb'}) == plain)
        stage.check(f'{name}: none in a pipe', '\x1b' not in piped(tool, words, UTF8))
        coloured = on_terminal(tool, words, UTF8)
        stage.check(f'{name}: the same words in colour', uncoloured(coloured) == plain, coloured)
        if name == 'why':
            stage.check('why: colour on a terminal', '\x1b[' in coloured, coloured)
            stage.check('why: --color=always in a pipe', '\x1b[' in piped(tool, [*words, '--color=always'], UTF8))


def test_ascii(tool):
    for words in REPORTS:
        text = piped(tool, words, C)
        stage.check(f'{" ".join(words[:1] + words[3:])}: pure ASCII with LC_ALL=C', text and text.isascii(),
                    ''.join(c for c in text if not c.isascii()))
    topics = [t['id'] for t in json.loads(piped(tool, ['explain', '--json'], C))['topics']]
    text = piped(tool, ['explain', *topics], C)
    stage.check(f'explain: pure ASCII of {len(topics)} topics', len(topics) > 100 and text.isascii(),
                ''.join(c for c in text if not c.isascii()))
    stage.check('arrows with UTF-8', '→' in piped(tool, REPORTS[0], UTF8))


def test_width(tool):
    for columns in 60, 80, 120:
        for words in REPORTS[:4 if columns >= 80 else 3]:  # the table of audit is made for 80
            for text, how in ((on_terminal(tool, words, UTF8, columns), 'terminal'),
                              (on_terminal(tool, words, {**UTF8, 'COLUMNS': str(columns)}), 'COLUMNS')):
                text = uncoloured(text).split(TABLE)[0]
                wide = [line for line in text.splitlines() if columns_of(line) > columns and not line.startswith(COMMAND)]
                stage.check(f'{words[0]}: {columns} columns by {how}', text and not wide, wide)


def renamed_look(folder, names):
    look = pathlib.Path(folder) / 'look'
    shutil.rmtree(look, ignore_errors=True)
    shutil.copytree(HERE / 'db7', look, symlinks=True)
    for (pid, old), new in zip(((8, 'shop-api'), (9, 'mailer')), names):
        for file in ('stat', 'status'):
            path = look / f'proc/{pid}/{file}'
            path.write_text(path.read_text().replace(old, new))
    return ['--from', str(look)]


def test_names(tool, folder):
    """Columns begin where they began, whatever the names are made of."""
    look = renamed_look(folder, ('日本語サ', 'שלוםא'))
    text = piped(tool, ['list', *look], UTF8)
    starts = {columns_of(line[:line.rindex('never')]) for line in text.splitlines() if 'CLOSE-WAIT ' in line}
    stage.check('list: wide names and such from right to left', len(starts) == 1 and '日本語サ' in text and 'שלוםא' in text,
                [sorted(starts), text])
    text = piped(tool, ['list', *look, '--by', 'owner'], UTF8)
    starts = {columns_of(re.split(r'\d+ CLOSE-WAIT', line)[0]) for line in text.splitlines()[1:]}
    stage.check('list --by owner: the same', len(starts) == 1, [sorted(starts), text])
    stage.check('a mark ends the direction before the next number', re.search('[א]\\[9\\]\u200e', text), ascii(text))
    text = piped(tool, ['list', *look], C)
    stage.check('list: escaped in ASCII', text.isascii() and '\\u{65e5}' in text, text)
    # Names that lie: an escape sequence, an override of the direction.
    look = renamed_look(folder, ('\u202eevil', 'a\u200fb'))
    for words in (['list', *look], ['why', *look], ['list', *look, '--by', 'owner']):
        text = piped(tool, words, UTF8)
        stage.check(f'{words[0]}: no direction from outside', not set('\u202e\u200f\x1b') & set(text), ascii(text))


def test_pager(tool):
    """What is long to read goes through the reader's pager, on a terminal and nowhere else."""
    mark = {**UTF8, 'PAGER': 'sed s/^/paged:/'}
    shown = on_terminal(tool, ['explain', 'CLOSE-WAIT'], mark)
    plain = piped(tool, ['explain', 'CLOSE-WAIT'], mark)
    stage.check('explain on a terminal: paged', shown.startswith('paged:') and
                uncoloured(shown).replace('paged:', '') == plain, shown)
    stage.check('explain in a pipe: not', 'paged:' not in plain, plain)
    stage.check('JSON on a terminal: not', 'paged:' not in on_terminal(tool, ['explain', '--json'], mark))
    stage.check('a report: not', 'paged:' not in on_terminal(tool, ['why', *LOOK], mark))
    stage.check('a pager that is not there', 'paged:' not in on_terminal(tool, ['explain', 'RST'],
                                                                         {**UTF8, 'PAGER': '/no/such/pager'}))
    bare = {**UTF8, 'PAGER': '', 'PATH': '/no/such/folder'}
    stage.check('a host without any', uncoloured(on_terminal(tool, ['explain', 'RST'], bare)) ==
                piped(tool, ['explain', 'RST'], bare))
    early = on_terminal(tool, ['explain'], {**UTF8, 'PAGER': 'head -n 1'})
    stage.check('a pager that has seen enough', uncoloured(early) == 'Rules\n', early)


def main():
    tool = str(pathlib.Path(sys.argv[1]).resolve())
    test_help(tool)
    test_mistakes(tool)
    test_colour(tool)
    test_ascii(tool)
    test_width(tool)
    test_pager(tool)
    with tempfile.TemporaryDirectory() as folder:
        test_names(tool, folder)
    return stage.end()


if __name__ == '__main__':
    sys.exit(main())
