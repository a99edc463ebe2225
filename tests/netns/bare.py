"""The static program alone in an empty tree, as on a host where nothing may be installed: bare.py TCPWHY.

No libraries, no /etc, no locale, no /sys: only /proc, the binary and a capture. It must say what it says
outside of it, and see the sockets of this namespace. Then the tree gets what other hosts have: modules for
names and tables for charsets, built for another C library. To load one is to die: these trap when they are.
"""

import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

import stage

DOCS = pathlib.Path(__file__).resolve().parent.parent / 'docs'


def run(argv, tree=None, more=None):
    env = {'LC_ALL': 'C', 'TZ': 'UTC', 'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', **(more or {})}
    if tree:
        argv = ['chroot', str(tree), '/' + pathlib.Path(argv[0]).name, *argv[1:]]
    return subprocess.run(argv, env=env, cwd=None if tree else DOCS, capture_output=True, text=True, check=False)


def latin1(folder):
    """A locale whose charset is not UTF-8."""
    (folder / 'map').write_text('<code_set_name> ISO-8859-1\n<comment_char> %\n<escape_char> /\nCHARMAP\n' +
                                ''.join(f'<U{n:04X}> /x{n:02x} x\n' for n in range(256)) + 'END CHARMAP\n')
    (folder / 'definition').write_text('comment_char %\nescape_char /\nLC_CTYPE\nEND LC_CTYPE\n')
    subprocess.run(['localedef', '-c', '-f', folder / 'map', '-i', folder / 'definition', folder / 'xx_XX'],
                   capture_output=True, check=False)
    return (folder / 'xx_XX').exists()


def catalogue(path, words):
    """What gettext reads: the number of texts, where they stand with their lengths, and the texts."""
    texts = [text.encode() for pair in sorted(words.items()) for text in pair]
    starts = [28 + 8 * len(texts) + sum(len(t) + 1 for t in texts[:n]) for n in range(len(texts))]
    entries = [struct.pack('II', len(text), start) for text, start in zip(texts, starts)]
    path.parent.mkdir(parents=True)
    path.write_bytes(struct.pack('7I', 0x950412de, 0, len(words), 28, 28 + 4 * len(texts), 0, 0) +
                     b''.join(entries[::2] + entries[1::2]) + b''.join(text + b'\0' for text in texts))


def test_alone(tree):
    """Nothing of the host is loaded: no module for names, no table of a charset."""
    folder = tree / 'modules'
    folder.mkdir()
    (tree / 'etc').mkdir()
    (tree / 'etc/nsswitch.conf').write_text('passwd: other\ngroup: other\nservices: other\nhosts: other\n')
    (tree / 'etc/passwd').write_text('root:x:0:0::/:\n')
    (folder / 'gconv-modules').write_text('module ISO-8859-1// INTERNAL LATIN 1\nmodule INTERNAL ISO-8859-1// LATIN 1\n')
    subprocess.run(['cc', '-shared', '-fPIC', '-nostdlib', '-x', 'c', '-o', folder / 'libnss_other.so.2', '-'], check=True,
                   text=True, input='__attribute__((constructor)) static void loaded(void) { __builtin_trap(); }')
    shutil.copy(folder / 'libnss_other.so.2', folder / 'LATIN.so')
    there = {'LD_LIBRARY_PATH': '/modules', 'GCONV_PATH': '/modules', 'LOCPATH': '/modules'}
    for words, status in ((['uid', 'root'], 0), (['uid', 'nosuch'], 2), (['src', 'localhost'], 0),
                          (['dst', 'nosuch'], 2), (['dport', '=', ':nosuch'], 2)):
        done = run(['tcpwhy', 'list', *words], tree, there)
        stage.check('asks no module: ' + ' '.join(words), done.returncode == status, done)
    if latin1(folder):
        catalogue(tree / 'usr/share/locale/xx_XX/LC_MESSAGES/libc.mo', {
            '': 'Content-Type: text/plain; charset=UTF-8\n', 'No such file or directory': 'n\u00f6'})
        for words, status in ((['list'], 0), (['pcap', 'upload.pcapng'], 0), (['pcap', 'nosuch'], 1)):
            done = run(['tcpwhy', *words], tree, {**there, 'LC_ALL': 'xx_XX'})
            stage.check('another charset: ' + ' '.join(words), done.returncode == status and
                        (done.stdout + done.stderr).isascii(), done)


def main():
    stage.enter('--mount')
    tool = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as name, socket.create_server(('127.0.0.1', 8080)) as listener:
        tree = pathlib.Path(name)
        shutil.copy(tool, tree / 'tcpwhy')
        shutil.copy(DOCS / 'upload.pcapng', tree)
        shutil.copytree(DOCS / 'db7', tree / 'db7', symlinks=True)
        (tree / 'proc').mkdir()
        subprocess.run(['mount', '--rbind', '/proc', tree / 'proc'], check=True)
        for words in (['pcap', 'upload.pcapng'], ['pcap', '--json', 'upload.pcapng'], ['why', '--from', 'db7'],
                      ['list', '--from', 'db7'], ['check', '--from', 'db7'], ['explain', 'CLOSE-WAIT']):
            bare, usual = run(['tcpwhy', *words], tree), run([tool, *words])
            stage.check('as outside: ' + ' '.join(words), (bare.stdout, bare.returncode) == (usual.stdout, usual.returncode),
                        [bare.stdout, bare.stderr, usual.stdout])
        client = socket.create_connection(listener.getsockname())
        client.close()
        listed = run(['tcpwhy', 'list', 'state', 'close-wait'], tree)
        stage.check('list: the CLOSE-WAIT of this namespace', re.search('CLOSE-WAIT.*:8080', listed.stdout),
                    [listed.stdout, listed.stderr])
        why = run(['tcpwhy', 'why', '--min-age', '0'], tree)
        stage.check('why: nobody has accepted it', 'close-wait-never-accepted' in why.stdout, [why.stdout, why.stderr])
        kept = run(['tcpwhy', 'why', '-i', 'lo', '--for', '300ms'], tree)
        stage.check('why -i: captures', kept.returncode == 0 and not kept.stderr, [kept.stdout, kept.stderr])
        test_alone(tree)
        subprocess.run(['umount', '-l', tree / 'proc'], check=True)
    return stage.end()


if __name__ == '__main__':
    sys.exit(main())
