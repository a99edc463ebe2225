"""How long connections were silent before they ended, and whose timer that was: idle.py TCPWHY. TAP."""

import os
import random
import sys
import tempfile

import wire

OPENING = ['0.000 c S 1000 0', '0.010 s SA 5000 1001', '0.011 c A 1001 5001', '0.020 c PA 1001 5001 100',
           '0.030 s PA 5001 1101 100', '0.031 c A 1101 5101']


def conversation(number, idle, ending):
    """Silence of `idle` seconds, then the lines of `ending` with times behind it."""
    lines = []
    for line in ending:
        at, rest = line.split(' ', 1)
        lines.append(f'{0.031 + idle + float(at):.6f} {rest}')
    return wire.shifted(wire.frames(OPENING + lines, client=('10.0.0.1', 10000 + number)), number * 0.01)


FORGOTTEN = ['0 c PA 1101 5101 10', '0.01 s R 5101 0']
CLOSED = ['0 s FA 5101 1101', '0.001 c FA 1101 5102', '0.002 s A 5102 1102']


def idle_of(tool, conversations):
    made = sorted(f for c in conversations for f in c)
    return wire.ask(tool, wire.write('x', made))['idle']


def main():
    tool = os.path.abspath(sys.argv[1])
    random.seed(3)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        many = [conversation(i, 350 + random.uniform(-0.4, 0.4), FORGOTTEN) for i in range(6)]
        many += [conversation(i, 75.0 + random.uniform(0, 0.3), CLOSED) for i in range(100, 104)]
        many += [conversation(i, random.expovariate(1 / 5), CLOSED) for i in range(200, 260)]
        idle = idle_of(tool, many)
        wire.check('every ending is counted', '' if sum(b['connections'] for b in idle['buckets']) == 70 else idle)
        wire.check('the longest bucket has no upper end', '' if idle['buckets'][-1]['below_ms'] is None
                   and idle['buckets'][0]['below_ms'] == 1000 else idle)
        wire.check('two timers stand out', '' if [p['idle_ms'] for p in idle['peaks']] == [350000, 75000]
                   and [p['connections'] for p in idle['peaks']] == [6, 4] else idle)
        wire.check('and have names', '' if 'AWS NLB' in idle['peaks'][0]['matches']
                   and 'nginx' in idle['peaks'][1]['matches'] else idle)
        text = wire.run(tool, 'x').stdout
        flat = ' '.join(text.split())
        wire.check('people read it', '' if '6 of them after 350 s: possibly the 350 s of AWS NLB and NAT gateway. '
                   "Keepalive's default, 2 h, comes too late for it." in flat else text[:1500])
        spread = idle_of(tool, [conversation(i, random.uniform(30, 900), CLOSED) for i in range(400)])
        wire.check('silences of all lengths are no timer', spread['peaks'])
        odd = idle_of(tool, [conversation(i, 437, FORGOTTEN) for i in range(5)])
        wire.check('a timer nobody knows', '' if [p['matches'] for p in odd['peaks']] == [None] else odd)
        two = idle_of(tool, [conversation(i, 350, FORGOTTEN) for i in range(2)])
        wire.check('two of a kind are chance', two['peaks'])
        control = [[f for f in c if f[1][33] & 7] for c in many]
        wire.check('without data in the capture nobody knows',
                   '' if sum(b['connections'] for b in idle_of(tool, control)['buckets']) == 0 else 'counted')
    return wire.done()


sys.exit(main())
