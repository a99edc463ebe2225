"""Captures without time stamps, where only what came first is known, and those whose clock was set: times.py TCPWHY. TAP."""

import os
import sys
import tempfile

import wire

FOUR_WAY = ['0.000 c S 1000 0', '0.010 s SA 5000 1001', '0.011 c A 1001 5001', '0.020 c FA 1001 5001',
            '0.030 s A 5001 1002', '3.000 s FA 5001 1002', '3.200 s FA 5001 1002', '3.600 s FA 5001 1002',
            '4.400 s FA 5001 1002', '4.401 c A 1002 5002']
ABORTED = ['0.000 c S 1000 0', '0.010 s SA 5000 1001', '0.011 c A 1001 5001', '9.000 s RA 5001 1001 win=501']


def times(value, key=''):
    """Every instant and duration below value: (key, value)."""
    if isinstance(value, dict):
        for k, v in value.items():
            yield from times(v, k)
    elif isinstance(value, list):
        for v in value:
            yield from times(v, key)
    elif key == 'ts' or key.endswith(('_ts', '_ms', '_at')):
        yield key, value


def main():
    tool = os.path.abspath(sys.argv[1])
    made = [f for i in range(4) for f in wire.frames(ABORTED, client=('10.0.0.1', 10000 + i))]
    made = sorted(wire.frames(FOUR_WAY) + made)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        whole = wire.ask(tool, wire.write('timed', made))
        report = wire.ask(tool, wire.write('x', [(0, packet) for _, packet in made]))
        known = [t for t in times([report['captures'], report['connections'], report['findings']])
                 if t[1] is not None]
        wire.check('no instant and no duration is known', known)
        endings = [[(c['pattern'], c['closed_first'], c['state'], [r['cause'] for r in c['rsts']])
                    for c in r['connections']] for r in (whole, report)]
        wire.check('how they ended is', '' if endings[0] == endings[1] and endings[0][-1][0] == 'four-way'
                   else endings)
        text = wire.run(tool, '-v', 'x').stdout
        flat = ' '.join(text.split())
        wire.check('people are told', '' if 'they have no time stamps, so nothing is known of when and how long' in flat
                   and '1970' not in text and '16' not in text.split('Client')[0] else text)
        rungs = [line for line in text.splitlines() if line.startswith('   ') and ' -- ' in line]
        wire.check('nor has a ladder times', '' if rungs and all(line.split()[0] == '-' for line in rungs) else text)
        relative = wire.ask(tool, wire.write('y', [(at - wire.START, packet) for at, packet in made]))
        wire.check('times that begin at zero are times',
                   '' if relative['connections'][-1]['half_close_ms'] == 2980 else relative)
        stepped(tool, made)
    return wire.done()


def stepped(tool, made):
    """Two packets in the wrong order are no clock that was set."""
    def gap(*steps):
        back = [(at - sum(by for i, by in steps if n >= i), packet) for n, (at, packet) in enumerate(made)]
        report = wire.ask(tool, wire.write('z', back))
        return [(g['object'], g['reason']) for g in report['gaps'] if g['what'] == 'capture-time']

    at = [at for at, _ in made]
    steady = [i for i in range(1, len(at)) if at[i] == at[i - 1]][:2]
    wire.check('a clock that goes on is no gap', gap())
    wire.check('nor is a little less than a second', gap((steady[0], .999999)))
    once, twice = gap((steady[0], 3600)), gap((steady[0], 1), (steady[1], 7))
    wire.check('one that was set is', '' if once == [('z', f'time goes back at packet {steady[0] + 1}, by 3600 s')] else once)
    wire.check('more than once', '' if twice == [('z', f'time goes back 2 times, first at packet {steady[0] + 1}, by 1 s')]
               else twice)
    wire.check('people are told', '' if 'z: time goes back 2 times' in wire.run(tool, 'z').stdout else 'nothing')


sys.exit(main())
