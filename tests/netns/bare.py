"""The program alone in an empty tree, as on a host where nothing may be installed: bare.py TCPWHY.

No libraries, no /etc, no locale, no /sys: only /proc, the binary and a capture. It must say what it says
outside of it, and see the sockets of this namespace.
"""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

import stage

DOCS = pathlib.Path(__file__).resolve().parent.parent / 'docs'


def run(argv, tree=None):
    env = {'LC_ALL': 'C', 'TZ': 'UTC', 'PATH': '/usr/sbin:/usr/bin:/sbin:/bin'}
    if tree:
        argv = ['chroot', str(tree), '/' + pathlib.Path(argv[0]).name, *argv[1:]]
    return subprocess.run(argv, env=env, cwd=None if tree else DOCS, capture_output=True, text=True, check=False)


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
        subprocess.run(['umount', '-l', tree / 'proc'], check=True)
    return stage.end()


if __name__ == '__main__':
    sys.exit(main())
