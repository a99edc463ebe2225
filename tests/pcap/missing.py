"""Captures that say themselves that packets are missing in them: missing.py TCPWHY. TAP."""

import os
import struct
import sys
import tempfile

import wire

TALK = ['0.000 c S 1000 0', '0.010 s SA 5000 1001', '0.011 c A 1001 5001', '0.020 c PA 1001 5001 100',
        '0.030 s A 5001 1101', '1.000 c FA 1101 5001', '1.010 s FA 5001 1102', '1.011 c A 1102 5002']


def gaps(report, what):
    return [(g['object'], g['reason']) for g in report['gaps'] if g['what'] == what]


def block(kind, body):
    body += b'\0' * (-len(body) % 4)
    return struct.pack('<II', kind, len(body) + 12) + body + struct.pack('<I', len(body) + 12)


def write_ng(path, made, dropped):
    """With what the interface dropped, as dumpcap writes it at the end."""
    with open(path, 'wb') as f:
        f.write(block(0x0a0d0d0a, struct.pack('<IHHq', 0x1a2b3c4d, 1, 0, -1)))
        f.write(block(1, struct.pack('<HHI', wire.RAW, 0, 0)))
        for at, packet in made:
            micro = round(at * 1_000_000)
            f.write(block(6, struct.pack('<IIIII', 0, micro >> 32, micro & 0xffffffff, len(packet), len(packet))
                          + packet))
        f.write(block(5, struct.pack('<IIIHHQHH', 0, 0, 0, 5, 8, dropped, 0, 0)))
    return path


def dropped(tool, made):
    def says(name, packets, n):
        report = wire.ask(tool, write_ng(name, packets, n))
        capture = report['captures'][0]
        return capture['content'], capture['dropped'], len(gaps(report, 'capture-drops')), report['complete']

    control = [made[i] for i in (0, 1, 5, 6)]
    for name, packets, n, wanted in (
            ('nothing was dropped', made, 0, 'full'), ('packets were dropped', made, 5000, 'partial'),
            ('all were dropped', [], 7, 'partial'), ('nothing was sent', [], 0, 'full'),
            ('of SYN and FIN only one was dropped', control, 1, 'fin-rst-only')):
        said = says(name, packets, n)
        wire.check(f'{name}: {wanted}', '' if said == (wanted, n, int(n > 0), True) else said)


def main():
    tool = os.path.abspath(sys.argv[1])
    made = wire.frames(TALK)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        dropped(tool, made)
    return wire.done()


sys.exit(main())
