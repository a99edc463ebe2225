"""Captures that say themselves that packets are missing in them: missing.py TCPWHY. TAP."""

import json
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


def inside(packet):
    """Of IP in IP."""
    return struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(packet), 1, 0, 64, 4, 0) + packet[12:20] + packet


def cut(tool, made):
    """An IPv4 header has 20 bytes, and those of TCP up to the flags 14."""
    def says(packets, *snap):
        run = wire.run(tool, '--json', wire.write('x', packets, *snap))
        report = json.loads(run.stdout)
        return (report['captures'][0]['content'], [(g['what'], g['reason']) for g in report['gaps']],
                run.returncode, report['complete'], run.stderr)

    def reason(n, most):
        return f'{n} packets were cut within their headers: at most {most} bytes of each were captured'

    n = len(made)
    for most in (0, 19, 20, 33):
        said = says(made, most)
        wire.check(f'{most} bytes of each are nothing to report on',
                   '' if said == ('partial', [('capture', reason(n, most))], 1, False,
                                  f'tcpwhy: x: {reason(n, most)}\n') else said)
    for most, content in ((34, 'partial'), (40, 'full')):
        said = says(made, most)
        wire.check(f'{most} bytes of each are enough', '' if said == (content, [], 0, True, '') else said)
    inner = [(at, inside(packet)) for at, packet in made[3:5]]
    said = says(made + inner, 50)
    wire.check('two of them within a tunnel are a gap',
               '' if said == ('partial', [('capture-cut', reason(2, 50))], 0, True, '') else said)
    said = says(made + inner[:1], 50)
    one = 'a packet was cut within its headers: only 50 bytes of it were captured'
    wire.check('or one', '' if said[1] == [('capture-cut', one)] else said)
    udp = [(at, packet[:9] + b'\x11' + packet[10:]) for at, packet in made[3:5]]
    said = says(made + udp, 50)
    wire.check('others that were cut are not', '' if said == ('full', [], 0, True, '') else said)
    said = says(made + [(at, packet[:30]) for at, packet in made[3:5]])
    wire.check('nor damaged ones that nobody cut', '' if said == ('full', [], 0, True, '') else said)
    padded = [(at, packet[:2] + b'\0\x1e' + packet[4:30] + b'\0' * 30) for at, packet in made[3:5]]
    said = says(made + padded, 50)
    wire.check('nor those of which only the padding was cut', '' if said == ('full', [], 0, True, '') else said)


def main():
    tool = os.path.abspath(sys.argv[1])
    made = wire.frames(TALK)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        dropped(tool, made)
        cut(tool, made)
    return wire.done()


sys.exit(main())
