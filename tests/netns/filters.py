"""300 random filters on a mixed load: `tcpwhy list` and ss select the same sockets. filters.py TCPWHY

The load is made in a private namespace: both families and IPv4 in IPv6, on several addresses and
devices, with marks, in every state that sockets can be made to keep. A filter is asked of ss, of
the tool and of ss again; where ss itself has changed its mind meanwhile (a TIME-WAIT ended), all
three are asked again. The seed is fixed: a failure repeats.
"""

import json
import os
import random
import select
import shlex
import socket
import struct
import subprocess
import sys
import time

import stage

N_FILTERS = 300
DEADLINE_S = 20
SO_MARK, TCP_DEFER_ACCEPT = 36, 9
PORTS = {'plain': 8080, 'dual': 8443, 'deaf': 443, 'full': 2222, 'late': 7000}


def wait_until(is_so, what):
    end = time.monotonic() + DEADLINE_S
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError(what)
        os.sched_yield()


def listener(host, port, backlog=64, both=False):
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not both)
    s.bind((host, port))
    s.listen(backlog)
    return s


def state(s):
    return s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


class Load:
    """Sockets that are kept until the end, but for TIME-WAIT, which is renewed."""

    def __init__(self):
        self.kept = []
        self.renewed = 0.0

    def pair(self, server, host, mark=0, device=None, source=None):
        client = socket.socket(server.family if ':' in host else socket.AF_INET, socket.SOCK_STREAM)
        if mark:
            client.setsockopt(socket.SOL_SOCKET, SO_MARK, mark)
        if device:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        if source:
            client.bind(source)
        client.connect((host, server.getsockname()[1]))
        accepted = server.accept()[0]
        self.kept += [client, accepted]
        return client, accepted

    def make(self):
        self.v4 = listener('0.0.0.0', PORTS['plain'])
        self.v6 = listener('::', PORTS['plain'])
        self.dual = listener('::', PORTS['dual'], both=True)
        self.kept += [self.v4, self.v6, self.dual]
        self.ways = [(self.v4, '127.0.0.1'), (self.v4, '127.0.0.2'), (self.v4, '10.1.2.3'), (self.v6, '::1'),
                     (self.v6, '2001:db8::1'), (self.dual, '127.0.0.1'), (self.dual, '10.1.2.3'),
                     (self.dual, '2001:db8::1')]
        for server, host in self.ways:
            self.pair(server, host)
            self.pair(server, host, mark=0x11, device='lo')
            self.half_closed(server, host)
            self.unsent(server, host)
        self.pair(self.v4, '127.0.0.1', mark=0x2, source=('127.0.0.9', 40000))
        self.unaccepted_and_refused_syns()
        self.requests()

    def half_closed(self, server, host):
        """FIN-WAIT-2 at one end, CLOSE-WAIT at the other, once each way."""
        for way in 0, 1:
            ends = self.pair(server, host)
            ends[way].shutdown(socket.SHUT_WR)
            wait_until(lambda ends=ends, way=way: (state(ends[way]), state(ends[1 - way])) == (5, 8), 'half-close')

    def unsent(self, server, host):
        """The peer reads nothing: FIN-WAIT-1, and LAST-ACK where the peer has said goodbye."""
        for is_last in False, True:
            client, accepted = self.pair(server, host)
            client.setblocking(False)
            with open(os.devnull, 'rb'):
                for _ in range(2):  # the window closes only when the peer's kernel has answered
                    while select.select([], [client], [], 0.05)[1]:
                        client.send(bytes(65536))
            if is_last:
                accepted.shutdown(socket.SHUT_WR)
                wait_until(lambda c=client: state(c) == 8, 'CLOSE-WAIT')
            self.kept.remove(client)
            client.close()

    def unaccepted_and_refused_syns(self):
        for host in '127.0.0.1', '::1':
            full = listener(host, PORTS['full'], backlog=0)
            self.kept.append(full)
            for _ in range(3):  # one waits in the queue, the others get no answer
                s = socket.socket(full.family, socket.SOCK_STREAM)
                s.setblocking(False)
                s.connect_ex((host, PORTS['full']))
                self.kept.append(s)

    def requests(self):
        """A server that wants data first keeps SYN-RECV, while the client believes in ESTABLISHED."""
        for host in '127.0.0.1', '::1':
            late = listener(host, PORTS['late'])
            late.setsockopt(socket.IPPROTO_TCP, TCP_DEFER_ACCEPT, 600)
            self.kept += [late, socket.create_connection((host, PORTS['late']))]

    def renew(self):
        if time.monotonic() - self.renewed < 30:
            return
        for server, host in self.ways:
            for way, device in ((0, None), (1, None), (0, 'lo')):
                ends = self.pair(server, host, device=device)
                del self.kept[-2:]
                ends[way].close()
                wait_until(lambda s=ends[1 - way]: state(s) == 8, 'CLOSE-WAIT')
                ends[1 - way].close()
        self.renewed = time.monotonic()


# Filters in the language of ss.

HOSTS = ['127.0.0.1', '127.0.0.2', '10.1.2.3', '10.0.0.0/8', '127.0.0.0/8', '127.0.0.0/30', '[::1]', '2001:db8::/32',
         '2001:db8::/33', '127.0.0.1:8080', '10.1.2.3:8443', '[::1]:8080', '[2001:db8::1]:8443', '*:8080', ':443', '*',
         '*:2222', '192.0.2.1', '[::ffff:127.0.0.1]', '[::ffff:10.1.2.3]:8443', '::ffff:0:0/96', '127/8', '10/8']
# ss takes these for a word on the whole expression: no other family is listed, not even by their `not`, unless
# another host follows that has none.
FAMILIES = ['0.0.0.0/0', '::/0', 'inet:*', 'inet6:*']
PORT_TEXTS = [':8080', '8443', ':2222', ':40000', ':7000', ':1024', ':32768', ':0', ':65535', 'https', ':http-alt']
COMPARISONS = ['=', '==', 'eq', '!=', 'ne', 'neq', '>', 'gt', '>=', 'ge', 'geq', '<', 'lt', '<=', 'le', 'leq', '']
SINGLE = {'established', 'syn-sent', 'syn-recv', 'fin-wait-1', 'fin-wait-2', 'time-wait', 'closed', 'close-wait',
          'last-ack', 'listening', 'closing'}
BUCKET = {'syn-recv', 'time-wait'}
STATES = {name: {name} for name in sorted(SINGLE)} | {
    'all': SINGLE, 'connected': SINGLE - {'closed', 'listening'},
    'synchronized': SINGLE - {'closed', 'listening', 'syn-sent'}, 'bucket': BUCKET, 'big': SINGLE - BUCKET}


def port(dice):
    return dice.choice(PORT_TEXTS)


def leaf(dice):
    kind = dice.randrange(10)
    if kind < 4:
        way = dice.choice(['src', 'dst'])
        return f'{way} {dice.choice(["", "", "= ", "== ", "!= "])}{dice.choice(HOSTS)}'
    if kind < 8:
        return f'{dice.choice(["sport", "dport"])} {dice.choice(COMPARISONS)} {port(dice)}'
    if kind == 8:
        return f'dev {dice.choice(["", "= ", "!= "])}{dice.choice(["lo", "dummy0"])}'
    return f'fwmark {dice.choice(["", "= ", "!= "])}{dice.choice(["0x11", "0x1/0x1", "0", "17", "0x2/0xff"])}'


def expression(dice, depth):
    kind = dice.randrange(6) if depth else 0
    if kind < 2:
        return leaf(dice)
    left = expression(dice, depth - 1)
    if kind == 2:
        return f'{dice.choice(["not", "!"])} ( {left} )'
    joint = {3: dice.choice(['and', '&', '&&']), 4: dice.choice(['or', '|', '||']), 5: ''}[kind]
    right = expression(dice, depth - 1)
    if dice.randrange(2):
        left = f'( {left} )'
    if dice.randrange(2):
        right = f'( {right} )'
    return f'{left} {joint} {right}'


def random_front(dice):
    front, states = [], None
    for _ in range(dice.choice([0, 0, 1, 1, 2, 3])):
        word, name = dice.choice(['state', 'state', 'exclude', 'excl']), dice.choice(list(STATES))
        if word == 'state':
            states = (states or set()) | STATES[name]
        else:
            states = (SINGLE if states is None else states) - STATES[name]
        front += [word, name]
    return front if states is None or states else []  # ss takes none at all for all


def random_filter(dice):
    words = random_front(dice)
    if not dice.randrange(12):
        words += [dice.choice(['src', 'dst']), dice.choice(FAMILIES), dice.choice(['', f'sport gt {port(dice)}'])]
    elif not dice.randrange(12):
        # No `not` around: ss asks both the kernel, who chose the port, and whether it is of the range. And none
        # behind: `autobound and not dev lo` lists some that `autobound` does not.
        words += ['autobound', dice.choice(['', f'dport {dice.choice(COMPARISONS)} {port(dice)}'])]
    elif dice.randrange(8) or not words:
        words.append(expression(dice, dice.randrange(4)))
    return ' '.join(words)


# Asking.

def by_ss(words):
    p = subprocess.run(['ss', '-Htane', *words], capture_output=True, text=True, check=False)
    if p.returncode != 0 or 'rror' in p.stderr:
        return None
    return {int(word[3:], 16) for line in p.stdout.splitlines() for word in line.split() if word.startswith('sk:')}


def by_tool(tool, words):
    p = subprocess.run([tool, 'list', '--json', '-a', *words], capture_output=True, text=True, check=False)
    return {s['cookie'] for s in json.loads(p.stdout)['sockets']} if p.returncode == 0 else p.stderr


def rows(cookies, socks):
    return [f'{c:x} ' + socks.get(c, '?') for c in sorted(cookies)][:10]


def everything():
    p = subprocess.run(['ss', '-Htane'], capture_output=True, text=True, check=True)
    return {int(line.split('sk:')[1].split()[0], 16): line for line in p.stdout.splitlines()}


def compare(tool, text, load):
    """How many sockets were selected; a negative number: ss does not understand the filter."""
    words = shlex.split(text)
    for _ in range(20):
        load.renew()
        before, ours, after = by_ss(words), by_tool(tool, words), by_ss(words)
        if before is None:
            return -1
        if before == after:
            break
    else:
        stage.check(f'ss holds still: {text}', False)
        return 0
    if ours != before:
        socks = everything()
        stage.check(text, False, ours if isinstance(ours, str) else
                    {'too many': rows(ours - before, socks), 'missing': rows(before - ours, socks)})
    return len(before)


def main():
    stage.enter()
    for command in ('addr add 10.1.2.3/8 dev lo', '-6 addr add 2001:db8::1/128 dev lo nodad',
                    'link add dummy0 type dummy'):
        subprocess.run(['ip', *command.split()], check=command.startswith('addr'), stderr=subprocess.DEVNULL)
    load = Load()
    load.make()
    load.renew()
    dice = random.Random(20261121)
    seen, n_selected = set(), []
    while len(n_selected) < N_FILTERS:
        text = random_filter(dice)
        n = compare(sys.argv[1], text, load) if text not in seen else -1
        seen.add(text)
        if n >= 0:
            n_selected.append(n)
    whole = everything()
    states = {line.split()[0] for line in whole.values()}
    stage.check(f'{len(seen)} filters, {N_FILTERS} of them known to ss, select the same sockets',
                all(stage.results), f'{stage.results.count(False)} do not')
    stage.check('the load has what can be made', states >= {'LISTEN', 'ESTAB', 'SYN-SENT', 'SYN-RECV', 'FIN-WAIT-1',
                'FIN-WAIT-2', 'TIME-WAIT', 'CLOSE-WAIT', 'LAST-ACK'}, sorted(states))
    n_some = sum(0 < n < len(whole) for n in n_selected)
    stage.check('most filters select some sockets and not all', n_some * 2 > N_FILTERS, n_some)
    return stage.end()


sys.exit(main())
