"""FINs that the capture does not hold, and what may be said of them: fins.py TCPWHY. TAP."""

import os
import sys
import tempfile

import wire

OPENING = ['0.000 c S 1000 0', '0.010 s SA 5000 1001', '0.011 c A 1001 5001', '0.020 c PA 1001 5001 100',
           '0.030 s PA 5001 1101 200', '0.031 c A 1101 5201']
CLOSED = OPENING + ['1.000 c FA 1101 5201', '1.010 s A 5201 1102']
NOT_CAPTURED = OPENING + ['1.010 s A 5201 1102']
KEYSTROKE = OPENING + ['1.010 s PA 5201 1102 1', '1.011 c A 1102 5202']  # the client's byte was lost


def ask(tool, lines, until):
    later = wire.shifted(wire.frames(['0 c S 9000 0'], client=('10.0.0.1', 41000)), until)
    found = [f for f in wire.ask(tool, wire.write('x', wire.frames(lines) + later))['findings']
             if f['rule'] == 'fin-unanswered']
    return [(f['certainty'], f['facts']['waited_ms'], f['facts'].get('fins_not_captured')) for f in found]


def main():
    tool = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name, lines, until, expected in (
                ('a FIN that is there', CLOSED, 61.5, [('likely', 60500, None)]),
                ('one that is not: its ACK tells when', NOT_CAPTURED, 61.5, [('possible', 60490, 1)]),
                ('the capture ends before anybody waited for long', NOT_CAPTURED, 1.2, []),
                ('just before a minute is over', NOT_CAPTURED, 61.005, []),
                ('a lost byte at the end of a talk looks the same', KEYSTROKE, 61.5, [('possible', 60490, 1)])):
            got = ask(tool, lines, until)
            wire.check(name, '' if got == expected else got)
        flat = ' '.join(wire.run(tool, wire.write('x', wire.frames(
            NOT_CAPTURED + ['99 c A 1102 5201']))).stdout.split())
        wire.check('and people read both', '' if 'its FIN, or a byte that the capture lost' in flat else flat)
    return wire.done()


sys.exit(main())
