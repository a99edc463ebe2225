"""A long file on a terminal shows how far it is, and leaves nothing behind: progress.py TCPWHY. TAP."""

import os
import pty
import subprocess
import sys
import tempfile

import wire


def said(tool, *args):
    """What a terminal at stderr gets."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([tool, 'pcap', *args], stdout=subprocess.DEVNULL, stderr=theirs, stdin=subprocess.DEVNULL)
    os.close(theirs)
    text = b''
    while True:
        try:
            more = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not more:
            break
        text += more
    os.close(ours)
    process.wait(120)
    return text.decode()


def main():
    tool = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        talk = wire.frames(['0 c S 1000 0', '0.01 s SA 5000 1001', '0.02 c A 1001 5001'])
        wire.write('long', [f for i in range(50000) for f in wire.shifted(talk, i)])
        wire.write('short', talk)
        long = said(tool, 'long')
        wire.check('share and packets', '' if 'long: ' in long and '%' in long and 'packets' in long else repr(long))
        wire.check('the line is erased at the end', '' if long.endswith('\r\x1b[K') else repr(long))
        wire.check('two files have one, too', '' if '%' in said(tool, 'long', 'short') else 'nothing')
        wire.check('not with --no-progress', said(tool, '--no-progress', 'long'))
        wire.check('not without a terminal', wire.run(tool, 'long').stderr)
    return wire.done()


sys.exit(main())
