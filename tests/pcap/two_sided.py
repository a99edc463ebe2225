"""Two captures of the same connections, one of each end: two_sided.py TCPWHY. Prints TAP.

Times of the lines are those of sending, by a clock that is right. A line that begins with `lost`
does not arrive; one that begins with `forged` was sent by somebody on the way, and only arrives.
"""

import os
import struct
import sys
import tempfile

import wire

DELAY, AHEAD = 0.005, 3.2  # seconds: on the way, and of the server's clock
OPENING = ['0.000 c S 1000 0', '0.006 s SA 5000 1001', '0.012 c A 1001 5001', '0.020 c PA 1001 5001 100',
           '0.026 s A 5001 1101', '0.030 s PA 5001 1101 300', '0.036 c A 1101 5301']
CLOSING = ['1.000 c FA 1101 5301', '1.006 s A 5301 1102', '1.100 s FA 5301 1102', '1.106 c A 1102 5302']
# Another connection, which shows that both captures went on.
LATER = ['20.000 c S 100000 0', '20.006 s SA 500000 100001', '20.012 c A 100001 500001',
         '20.1 c FA 100001 500001', '20.106 s FA 500001 100002', '20.112 c A 100002 500002']


def views(lines, client=('10.0.0.1', 40000), translated=None):
    """What the client's capture holds, and what the server's does."""
    seen = {'c': [], 's': []}
    for number, line in enumerate(lines, 1):
        word, rest = line.split(' ', 1)
        fate, rest = (word, rest) if word in ('lost', 'forged') else ('', line)
        sender = rest.split()[1]
        for end in 'cs':
            if (fate == 'lost' and end != sender) or (fate == 'forged' and end == sender):
                continue
            (at, packet), = wire.frames([f'{rest} id={number}'],
                                        client=translated if translated and end == 's' else client)
            at += (DELAY if end != sender else 0) + (AHEAD if end == 's' else 0)
            seen[end].append((at, packet))
    return seen['c'], seen['s']


def ask(tool, lines, *, later=True, swapped=False, **more):
    client, server = views(lines, **more)
    if later:
        for held, also in zip((client, server), views(LATER, client=('10.0.0.1', 41000))):
            held += also
    names = [wire.write('client.pcap', sorted(client)), wire.write('server.pcap', sorted(server))]
    return wire.ask(tool, '--two-sided', *(names[::-1] if swapped else names))


def missing(answer):
    return [(m['segment'], m['from'], m['seen_in'], m['was_sent'], m['certainty'])
            for c in answer['connections'] for m in c['two_sided']['missing']]


def sent_by(end, held):
    """One direction only: the other one took another interface."""
    to_server = end == 'c'
    return [(at, packet) for at, packet in held if (packet[22:24] == struct.pack('!H', 80)) == to_server]


def witness(tool, lines, change, *, of='s'):
    """What is missing where the capture of one end holds less than all."""
    held = dict(zip('cs', (sorted(a + b) for a, b in zip(views(lines), views(LATER, client=('10.0.0.1', 41000))))))
    held[of] = change(held[of])
    return wire.ask(tool, '--two-sided', wire.write('client.pcap', held['c']), wire.write('server.pcap', held['s']))


def check_witnesses(tool):
    """Only what the other capture would have held is missing from it."""
    forged = OPENING + ['forged 0.500 s RA 5301 1101 win=501', '0.700 c PA 1101 5301 10', '0.706 s A 5301 1111',
                        '0.8 c PA 1111 5301 10']
    lost = OPENING + ['lost 1.000 s FA 5301 1101', '1.3 c PA 1101 5301 10', '1.306 s A 5302 1111']
    said = [('RST', 'server', 0, False, 'certain')]
    never = [('FIN', 'server', 1, True, 'certain')]
    begin = wire.START + AHEAD

    untimed = [wire.write(f'{i}.pcap', [(0, packet) for at, packet in sorted(held)])
               for i, held in enumerate(views(forged))]
    answer = wire.ask(tool, '--two-sided', *untimed)
    wire.check('without times in either of them nobody knows when either ran',
               missing(answer) or ('' if answer['two_sided']['both'] == 1 else answer['two_sided']))
    for name, lines, of, expected, change in (
            ('all of it', forged, 's', said, lambda held: held),
            ('what its own end sent', forged, 's', said, lambda held: sent_by('s', held)),
            ('what its own end heard: nothing is known of the other direction', forged, 's', [],
             lambda held: sent_by('c', held)),
            ('nothing so early: it began later', forged, 's', [],
             lambda held: [(at, packet) for at, packet in held if at - begin > 0.55]),
            ('some of what came before', forged, 's', said,
             lambda held: [(at, packet) for at, packet in held if at - begin > 0.011]),
            ('nothing so late: it ended earlier', forged, 's', [],
             lambda held: [(at, packet) for at, packet in held if at - begin < 0.45]),
            ('less than the other end heard: it lost some', forged, 's', [],
             lambda held: [(at, packet) for at, packet in held if len(packet) != 340]),
            ('no times', forged, 's', [], lambda held: [(0, packet) for at, packet in held]),
            ('all of it, but for a FIN', lost, 'c', never, lambda held: held),
            ('what its own end sent: what it heard passed elsewhere', lost, 'c', [],
             lambda held: sent_by('c', held))):
        answer = witness(tool, lines, change, of=of)
        wire.check(f'it holds {name}', '' if missing(answer) == expected and answer['two_sided']['both']
                   else (missing(answer), answer['two_sided']))
        sure = [r['certainty'] for c in answer['connections'] for r in c['rsts'] if r['cause'] == 'rst-injected']
        wire.check('and is believed so far', '' if of == 'c' or ('certain' in sure) == bool(expected) else sure)


def main():
    tool = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        whole = ask(tool, OPENING + CLOSING)
        wire.check('what both saw is said once', '' if len(whole['connections']) == 2 and not missing(whole)
                   and whole['two_sided']['both'] == 2 and whole['two_sided']['only'] == [0, 0] else whole)
        clock = whole['two_sided']
        wire.check('the clocks are aligned', '' if abs(clock['clock_offset_us'] - AHEAD * 1e6) < 2
                   and abs(clock['clock_within_us'] - DELAY * 1e6) < 2 else clock)
        swapped = ask(tool, OPENING + CLOSING, swapped=True)
        wire.check('whose end it was shows by itself', '' if swapped['connections'][0]['two_sided']['at']
                   == ['server', 'client'] and abs(swapped['two_sided']['clock_offset_us'] + AHEAD * 1e6) < 2
                   else swapped)

        forged = OPENING + ['forged 0.500 s RA 5301 1101 win=501', '0.700 s PA 5301 1101 50', '0.706 c R 1101 0']
        answer = ask(tool, forged)
        wire.check('a reset that its sender did not send', '' if ('RST', 'server', 0, False, 'certain') in missing(answer)
                   else answer)
        rst = answer['connections'][0]['rsts'][0]
        wire.check('is forged, and that is certain', '' if (rst['cause'], rst['certainty'])
                   == ('rst-injected', 'certain') else rst)
        wire.check('the finding says so', '' if [(f['rule'], f['certainty']) for f in answer['findings']
                                                 if 'were not sent by it' in f['says'] or 'was not sent by it' in f['says']]
                   == [('rst-injected', 'certain')] else answer['findings'])
        alone = wire.ask(tool, 'client.pcap')['connections'][0]['rsts'][0]
        wire.check('which one capture alone does not', '' if alone['certainty'] != 'certain' else alone)
        text = wire.run(tool, '--two-sided', 'client.pcap', 'server.pcap').stdout
        flat = ' '.join(text.split())
        wire.check('people read it', '' if 'is only in client.pcap: it was not sent by the server (certain).' in flat
                   and 'The clock of server.pcap is ahead by 3200000 us' in flat else text)
        early = ask(tool, forged, later=False)
        wire.check('a capture that ended before is no witness',
                   '' if ('RST', 'server', 0, False, 'likely') in missing(early) else missing(early))

        lost = OPENING + ['lost 1.000 s FA 5301 1101', 'lost 1.200 s FA 5301 1101', '1.3 c PA 1101 5301 10']
        wire.check('a FIN that never arrived', '' if missing(ask(tool, lost)) == [('FIN', 'server', 1, True, 'certain')]
                   else missing(ask(tool, lost)))
        translated = ask(tool, forged, translated=('203.0.113.7', 61000))
        wire.check('through NAT', '' if translated['two_sided']['both'] == 2
                   and translated['connections'][0]['two_sided']['translated']
                   and ('RST', 'server', 0, False, 'certain') in missing(translated) else translated)
        middle = ask(tool, (OPENING + CLOSING)[3:])
        wire.check('without a handshake', '' if middle['two_sided']['both'] == 2 and not missing(middle) else middle)
        wire.write('client.pcap', sorted(views(OPENING + CLOSING)[0]))
        wire.write('server.pcap', sorted(views(LATER, client=('10.0.0.1', 41000))[1]))
        apart = wire.ask(tool, '--two-sided', 'client.pcap', 'server.pcap')
        wire.check('what only one of them has', '' if apart['two_sided']['only'] == [1, 1]
                   and [c['two_sided']['in'] for c in apart['connections']] == [[True, False], [False, True]]
                   and [c['id'] for c in apart['connections']] == [1, 2] else apart)
        wire.check('three captures are wrong usage',
                   '' if wire.run(tool, '--two-sided', 'client.pcap').returncode == 2 else 'accepted')
        check_witnesses(tool)
    return wire.done()


sys.exit(main())
