"""Several captures in one go, in order of time: merge.py TCPWHY. Prints TAP."""

import gzip
import os
import random
import sys
import tempfile

import wire

TALK = ['0.000 c S 1000 0', '0.010 s SA 5000 1001', '0.011 c A 1001 5001',
        '0.020 c PA 1001 5001 100', '0.030 s A 5001 1101', '5.000 s PA 5001 1101 300',
        '5.001 c A 1101 5301', '5.002 c FA 1101 5301', '5.010 s A 5301 1102',
        '5.020 s FA 5301 1102', '5.021 c A 1102 5302']


def compared(answer):
    """All of it but what is about the files."""
    return answer['connections'], answer['findings'], answer['gaps']


def main():
    tool = os.path.abspath(sys.argv[1])
    made = sorted(f for i in range(40) for f in wire.shifted(wire.frames(TALK, client=('10.0.0.1', 40000 + i)), i * 0.7))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        whole = wire.ask(tool, wire.write('whole', made))
        third = len(made) // 3
        for name, part in (('a', made[:third]), ('b', made[third:2 * third]), ('c', made[2 * third:])):
            wire.write(name, part)
        wire.check('forty connections', '' if len(whole['connections']) == 40 else len(whole['connections']))
        for order in ('a b c', 'c a b', 'b c a'):
            pieces = wire.ask(tool, *order.split())
            wire.check(f'pieces in the order {order} are one capture',
                       '' if compared(pieces) == compared(whole) else pieces)
        wire.check('and say so each for itself',
                   '' if [c['file'] for c in pieces['captures']] == ['b', 'c', 'a']
                   and sum(c['packets'] for c in pieces['captures']) == len(made) else pieces['captures'])
        random.seed(1)
        dealt = [[], [], []]
        for f in made:
            dealt[random.randrange(3)].append(f)
        with gzip.open('z', 'wb') as packed:
            packed.write(open(wire.write('plain', dealt[0]), 'rb').read())
        wire.check('packets dealt to three files, one compressed',
                   '' if compared(wire.ask(tool, 'z', wire.write('y', dealt[1]), wire.write('x', dealt[2])))
                   == compared(whole) else 'other connections')
        wire.check('the same file twice is the same packets',
                   '' if compared(wire.ask(tool, 'whole', 'whole')) == compared(whole) else 'other connections')
        cut = open('b', 'rb').read()[:-7]
        open('cut', 'wb').write(cut)
        broken = wire.run(tool, '--json', 'a', 'cut', 'c')
        wire.check('a damaged piece is said, the others are read',
                   '' if broken.returncode == 1 and 'cut: the file ends in the middle' in broken.stderr
                   and broken.stdout.count('"opened"') == 40 else broken)
        few = ['sport', '=', ':40003']
        wire.check('a ladder goes through the pieces',
                   '' if wire.run(tool, 'c', 'a', 'b', *few).stdout.splitlines()[-11:]
                   == wire.run(tool, 'whole', *few).stdout.splitlines()[-11:] else wire.run(tool, 'c', 'a', 'b', *few).stdout)
        # How long nobody answered the FIN is known as far as the capture goes on, and no farther.
        half = wire.frames(TALK[:3] + ['1 c FA 1001 5001', '1.01 s A 5001 1002'])
        other = wire.frames(TALK, client=('10.0.0.9', 50000))
        wire.write('half', half)
        for after, name in ((30, 'a minute later the capture goes on'), (7200, 'two hours later it is another one')):
            wire.write('other', wire.shifted(other, after) + wire.shifted(other, after + 100))
            rules = [f['rule'] for f in wire.ask(tool, 'half', 'other')['findings']]
            wire.check(name, '' if ('fin-unanswered' in rules) == (after == 30) else rules)
    return wire.done()


sys.exit(main())
