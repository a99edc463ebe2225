"""More connections than may be kept: who stays, who leaves, and that it is said: flood.py TCPWHY. TAP."""

import os
import random
import sys
import tempfile

import wire

OPENING = ['0.000 c S 1000 0', '0.010 s SA 5000 1001', '0.011 c A 1001 5001', '0.020 c PA 1001 5001 100',
           '0.030 s A 5001 1101']
CLOSING = ['0.500 c FA 1101 5001', '0.510 s FA 5001 1102', '0.511 c A 1102 5002']
LATE = ['90.000 s PA 5001 1101 10', '90.010 c FA 1101 5011', '90.020 s FA 5011 1102', '90.021 c A 1102 5012']
SYN = ['0.000 c S 7000 0']
LIVING, CAP = 20, 100


def client(number):
    return (f'10.{1 + number // 60000}.0.1', 1024 + number % 60000)


def made_of(*parts):
    """(first number, count, lines, seconds from one to the next) each."""
    made = [f for first, n, lines, step in parts for i in range(n)
            for f in wire.shifted(wire.frames(lines, client=client(first + i)), i * step)]
    return sorted(made)


def ask(tool, made, cap=CAP):
    return wire.ask(tool, '--max-connections', str(cap), wire.write('x', made))


def of_living(answer):
    """Patterns of the connections that began first and ended last."""
    ports = {client(n)[1] for n in range(LIVING)}
    return [c['pattern'] for c in answer['connections'] if c['client']['addr'] == client(0)[0] and c['client']['port'] in ports]


def main():
    tool = os.path.abspath(sys.argv[1])
    random.seed(5)
    living = (0, LIVING, OPENING + LATE, 0.001)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        closed = ask(tool, made_of(living, (100, 5000, OPENING + CLOSING, 0.01)))
        wire.check('the closed ones leave', '' if len(closed['connections']) == CAP
                   and of_living(closed) == ['three-segment'] * LIVING else of_living(closed))
        wire.check('and are counted', '' if closed['captures'][0]['connections_left_out'] == 5000 + LIVING - CAP
                   and closed['captures'][0]['segments_left_out'] == 0 else closed['captures'])
        wire.check('the report says that it is not whole', '' if not closed['complete'] and [g['what'] for g in
                   closed['gaps']] == ['cap'] and '4920 closed' in closed['gaps'][0]['reason'] else closed['gaps'])
        flood = ask(tool, made_of(living, (100, 20000, SYN, 0.004)))
        wire.check('a flood of SYNs pushes out nobody but itself', '' if len(flood['connections']) == CAP
                   and of_living(flood) == ['three-segment'] * LIVING else of_living(flood))
        fins = ask(tool, made_of(living, (100, 20000, ['0.000 c FA 7000 1'], 0.004)))
        wire.check('nor does one of FINs', '' if of_living(fins) == ['three-segment'] * LIVING else of_living(fins))
        alive = ask(tool, made_of((0, 2 * CAP, OPENING + LATE[:1], 0.05)))
        wire.check('where all of them live, those that came first stay',
                   '' if [c['client']['port'] for c in alive['connections']] == [client(n)[1] for n in range(CAP)]
                   and all(c['bytes'] == {'client': 100, 'server': 10} for c in alive['connections'])
                   and alive['captures'][0]['segments_left_out'] > 0 else alive['captures'])
        run = wire.run(tool, '--max-connections', str(CAP), 'x')
        wire.check('people read it', '' if run.returncode == 1 and 'more connections than can be kept' in
                   ' '.join(run.stdout.split()) else run)
        roomy = ask(tool, made_of(living, (100, 300, OPENING + CLOSING, 0.01)), cap=1000)
        wire.check('below it nobody leaves', '' if len(roomy['connections']) == 300 + LIVING and roomy['complete']
                   and not roomy['gaps'] else roomy['gaps'])
    return wire.done()


sys.exit(main())
