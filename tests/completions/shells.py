#!/usr/bin/env python3
"""Completion in the real shells: shells.py TCPWHY COMPLETIONS SHELL.

How it works: the shell runs on a pseudo-terminal, with the completion loaded as its users have it,
and is sent the beginning of a line, a tab and a return. A program in place of tcpwhy lets the real
one complete and writes down with what words it was called. Where several words are possible,
tabs must show them all.
"""

import os
import pathlib
import pty
import re
import select
import shutil
import struct
import sys
import tempfile
import termios
import time
from fcntl import ioctl

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'netns'))
import stage  # pylint: disable=wrong-import-position

PATIENCE_S = 30
PROMPT = 'READY>'

STAND_IN = '''#!/bin/sh
case $1 in __complete) exec '{tool}' "$@" ;; esac
printf '%s\\n' "$@" >>called
echo END >>called
'''

# What is typed, and the words it becomes.
FINISHED = [
    ('tcpwhy li', ['list']),
    ('tcpwhy list sta', ['list', 'state']),
    ('tcpwhy list state close-w', ['list', 'state', 'close-wait']),
    ('tcpwhy list state FIN-WAIT-2 and una', ['list', 'state', 'FIN-WAIT-2', 'and', 'unaccepted']),
    ("tcpwhy list 'age > 5m' or orp", ['list', 'age > 5m', 'or', 'orphan']),
    ('tcpwhy state tim', ['state', 'time-wait']),
    ('tcpwhy explain close-wait-l', ['explain', 'close-wait-leaked-fd']),
    ('tcpwhy explain econnres', ['explain', 'econnreset']),
    ('tcpwhy rule rst-after-c', ['rule', 'rst-after-close']),
    ('tcpwhy --min', ['--min-age']),
    ('tcpwhy list --all-s', ['list', '--all-states']),
    ('tcpwhy list --color=alw', ['list', '--color=always']),
    ('tcpwhy list --color ne', ['list', '--color', 'never']),
    ('tcpwhy list --by lo', ['list', '--by', 'local-port']),
    ('tcpwhy why -i an', ['why', '-i', 'any']),
    ('tcpwhy list dev an', ['list', 'dev', 'an']),  # no socket is bound to any
    ('tcpwhy list dev l', ['list', 'dev', 'lo']),
    ('tcpwhy pcap uplo', ['pcap', 'upload.pcapng']),
    ('tcpwhy why -r uplo', ['why', '-r', 'upload.pcapng']),
    ('tcpwhy --from recor', ['--from', 'recorded']),
    ('tcpwhy lab dem', ['lab', 'demo']),
    ('tcpwhy check --warning close-wait.no', ['check', '--warning', 'close-wait.nofile=']),
]
SEVERAL = [
    ('tcpwhy l', ['list', 'lab']),
    ('tcpwhy list state fin-', ['fin-wait-1', 'fin-wait-2']),
    ('tcpwhy list --all', ['--all-netns', '--all-states']),
]

SHELLS = {
    'bash': (['bash', '--norc', '--noprofile', '-i'],
             "PS1='READY''>'; bind 'set bell-style none'; . '{dir}/tcpwhy.bash'"),
    'zsh': (['zsh', '-f', '-i'],
            "PROMPT='READY''>'; fpath=('{dir}' $fpath); autoload -U compinit; compinit -u -D; "
            "setopt nobeep"),
    'fish': (['fish', '--no-config', '-i'],
             "function fish_prompt; echo -n READY'>'; end; function fish_greeting; end; "
             "source '{dir}/tcpwhy.fish'"),
}


class Terminal:
    """A shell on a terminal of 200 columns."""

    def __init__(self, shell, completions, folder):
        argv, begin = SHELLS[shell]
        env = {'PATH': f'{folder}/bin:/usr/local/bin:/usr/bin:/bin', 'HOME': str(folder), 'TERM': 'xterm',
               'LC_ALL': 'C.UTF-8', 'XDG_CONFIG_HOME': str(folder), 'XDG_DATA_HOME': str(folder)}
        self.folder, self.seen = folder, ''
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(argv[0], argv, env)
        ioctl(self.fd, termios.TIOCSWINSZ, struct.pack('HHHH', 50, 200, 0, 0))
        self.send(begin.format(dir=completions) + '\r')
        self.wait_for(PROMPT)

    def send(self, text):
        os.write(self.fd, text.encode())

    def read(self, seconds):
        if select.select([self.fd], [], [], seconds)[0]:
            data = os.read(self.fd, 65536).decode(errors='replace')
            if '\x1b[c' in data or '\x1b[0c' in data:
                self.send('\x1b[?62c')  # what kind of terminal this is: fish waits for it
            self.seen += re.sub(r'\x1b\][^\x07]*\x07|\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\x1b\([A-Z]|\r', '',
                                data)

    def wait_for(self, *texts):
        deadline = time.monotonic() + PATIENCE_S
        while any(text not in self.seen for text in texts):
            if time.monotonic() > deadline:
                return False
            self.read(0.2)
        return True

    def words_of(self, typed):
        """The words with which tcpwhy was called."""
        called = self.folder / 'called'
        called.unlink(missing_ok=True)
        self.send(typed + '\t\r')
        deadline = time.monotonic() + PATIENCE_S
        while not (called.exists() and called.read_text().endswith('END\n')):
            if time.monotonic() > deadline:
                return ['nothing was called', self.seen[-400:]]
            self.read(0.05)
        # zsh takes the slash of a folder back
        return [word.rstrip('/') for word in called.read_text().splitlines()[:-1]]

    def shows(self, typed, words):
        self.send(typed + '\t\t\t')  # bash: what they share, a bell, the list
        return self.wait_for(*words)

    def end(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def prepare(tool, folder):
    (folder / 'bin').mkdir()
    (folder / 'recorded').mkdir()
    (folder / 'upload.pcapng').touch()
    stand_in = folder / 'bin/tcpwhy'
    stand_in.write_text(STAND_IN.format(tool=tool))
    stand_in.chmod(0o755)


def main():
    tool, completions = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
    shell, point = sys.argv[3], stage.check
    if not shutil.which(shell):
        print(f'1..0 # SKIP no {shell} here')
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        prepare(tool, folder)
        terminal = Terminal(shell, completions, folder)
        for typed, words in FINISHED:
            got = terminal.words_of(typed)
            point(f'{typed}<TAB>', got == words, f'{got} instead of {words}')
        terminal.end()
        for typed, words in SEVERAL:
            terminal = Terminal(shell, completions, folder)  # a menu is not always left by ^C
            point(f'{typed}<TAB> shows {" ".join(words)}', terminal.shows(typed, words), terminal.seen)
            terminal.end()
    return stage.end()


if __name__ == '__main__':
    sys.exit(main())
