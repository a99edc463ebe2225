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
    return wire.shifted(wire.frames(OPENING + lines, client=('10.0.0.1', 10000 + number)), number * 10)


FORGOTTEN = ['0 c PA 1101 5101 10', '0.01 s R 5101 0']
CLOSED = ['0 s FA 5101 1101', '0.001 c FA 1101 5102', '0.002 s A 5102 1102']


def idle_of(tool, conversations):
    made = sorted(f for c in conversations for f in c)
    return wire.ask(tool, wire.write('x', made))['idle']


def probing(number, answered, ending):
    """Keepalive each minute, answered so many times; then what ended it."""
    at, lines = 0.031, []
    for _ in range(answered):
        at += 60
        lines += [f'{at:.6f} s A 5100 1101', f'{at + 0.001:.6f} c A 1101 5101']
    lines += [f'{at + 60 + float(line.split(" ", 1)[0]):.6f} {line.split(" ", 1)[1]}' for line in ending]
    return wire.shifted(wire.frames(OPENING + lines, client=('10.0.0.1', 10000 + number)), number * 10)


UNANSWERED = [f'{75 * n} s A 5100 1101' for n in range(9)] + ['675 s RA 5101 1101 win=501']
LATE = ['0 s FA 5101 1101', '0.001 c A 1101 5102', '40 c PA 1101 5102 10', '40.001 s R 5102 0']
REBOOTED = ['0 s A 5100 1101', '0.001 c R 1101 0']


def timers(tool, conversations):
    found = wire.ask(tool, wire.write('x', sorted(f for c in conversations for f in c)))
    return ([f['facts']['idle_ms'] for f in found['findings'] if f['rule'] == 'rst-idle-timeout'],
            [p['idle_ms'] for p in found['idle']['peaks']])


def check_timers(tool):
    """What is a timer for idle connections, and what only looks like one."""
    forgotten = [conversation(i, 350, FORGOTTEN) for i in range(4)]
    reset = ['0 s RA 5101 1101 win=501']
    aborted = [wire.shifted(conversation(i, 37, reset), -9.99 * i) for i in range(5)]
    last_used = [wire.shifted(conversation(i, 36.4 + i / 2, reset), -10.5 * i) for i in range(5)]
    for name, conversations, expected in (
            ('resets after the same silence, seconds apart', forgotten, ([350000], [350000])),
            ("keepalive's own 75 s are no idle time", [probing(i, 0, UNANSWERED) for i in range(4)], ([], [])),
            ('nor are its minutes, where the peer went away', [probing(i, 3, REBOOTED) for i in range(4)], ([], [])),
            ('where the first probe is too late, it is one', [probing(i, 0, REBOOTED) for i in range(4)],
             ([60000], [60000])),
            ('the silence before a FIN is that which counts', [conversation(i, 75, LATE) for i in range(4)],
             ([], [75000]))):
        got = timers(tool, conversations)
        wire.check(name, '' if got == expected else got)
    at_work = [probing(i, 1, ['-59.5 s RA 5101 1101 win=501']) for i in range(4)]
    counted = idle_of(tool, at_work)['buckets'][0]['connections']
    wire.check('at work again after a pause that did no harm', '' if counted == 4 else f'{counted} of 4')
    wire.check('a pool whose server dies', '' if timers(tool, aborted) == ([], []) else timers(tool, aborted))
    at_once = [wire.shifted(conversation(i, 350, FORGOTTEN), -10 * i) for i in range(4, 6)]
    peaks = idle_of(tool, forgotten + at_once)['peaks']
    wire.check('of a timer all connections are told', '' if [p['connections'] for p in peaks] == [6] else peaks)
    wire.check('a pool last used within seconds', '' if timers(tool, last_used) == ([], []) else timers(tool, last_used))


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
        check_timers(tool)
    return wire.done()


sys.exit(main())
