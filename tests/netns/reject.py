"""Who refused it? reject.py TCPWHY. TAP; nothing where no network namespace may be made.

The client asks the server for four ports: one is open, on one nobody listens, one the server's own firewall rejects,
one the router's. Only the last reset comes from nearer than the host.
"""

import json
import pathlib
import socket
import subprocess
import sys
import tempfile

import routed
import stage

OPEN, CLOSED, OWN_FIREWALL, ROUTER = 8080, 8081, 8082, 8083
SYN, RST = 2, 4
ROUTER_RULES = f'''
add table inet t
add chain inet t f {{ type filter hook forward priority 0; }}
add rule inet t f tcp dport {ROUTER} reject with tcp reset
'''
OWN_RULES = f'''
add table inet t
add chain inet t i {{ type filter hook input priority 0; }}
add rule inet t i tcp dport {OWN_FIREWALL} reject with tcp reset
'''


def be_client(path, server, ports):
    """Asks for each of the ports, as often as its place in the list says; what passes goes to the file."""
    tap = routed.Tap('inside')
    for port in ports:
        with socket.socket(socket.AF_INET6 if ':' in server else socket.AF_INET) as s:
            print(port, s.connect_ex((server, port)))
    refused = sum(1 for port in ports if port != OPEN)
    routed.wait_for('the resets', lambda: tap.count(RST) >= refused and tap.count(SYN) >= len(ports))
    tap.write(path)


def ask(client, path, server, *ports):
    subprocess.run(['nsenter', '-t', str(client), '-n', sys.executable, '-B', __file__, '--client', path, server,
                    *map(str, ports)], check=True, stdout=subprocess.DEVNULL, timeout=60)


def findings(tool, path):
    run = subprocess.run([tool, 'pcap', '--json', path], capture_output=True, text=True, timeout=60, check=False)
    found = json.loads(run.stdout)['findings']
    return {(f['rule'], f['subject']['peer']['port']): f for f in found}


def judge(tool, client, path, server):
    ask(client, path, server, OPEN, OPEN, OPEN, CLOSED, OWN_FIREWALL, ROUTER, ROUTER)
    found = findings(tool, path)
    stage.check(f'{server}: only what the router rejected was refused before the host',
                found.keys() == {('rst-refused', CLOSED), ('rst-refused', OWN_FIREWALL), ('rst-admin', ROUTER)},
                found)
    box = found.get(('rst-admin', ROUTER), {'facts': {}, 'severity': None, 'certainty': None, 'says': ''})
    stage.check(f'{server}: the router stands one nearer',
                (box['facts'].get('routers_passed'), box['facts'].get('routers_to_host')) == (0, 1) and
                box['certainty'] == 'likely' and box['severity'] == 'warning' and ' 0 routers' in box['says'], box)
    ask(client, path, server, OPEN, OPEN, ROUTER)
    found = findings(tool, path)
    stage.check(f'{server}: two answers may have come another way, nothing is said of a box',
                found.keys() == {('rst-refused', ROUTER)}, found)


def main():
    if sys.argv[1] == '--client':
        be_client(sys.argv[2], sys.argv[3], [int(port) for port in sys.argv[4:]])
        return 0
    stage.enter()
    with tempfile.TemporaryDirectory() as tmp, routed.namespace() as client, routed.namespace() as router:
        routed.build(client, router, ROUTER_RULES)
        routed.sh('nft -f -', input=OWN_RULES, text=True)
        path = str(pathlib.Path(tmp, 'client.pcap'))
        for server, family in ((routed.SERVER, socket.AF_INET), (routed.SERVER6, socket.AF_INET6)):
            with socket.create_server((server, OPEN), family=family):
                judge(sys.argv[1], client, path, server)
    return stage.end()


sys.exit(main())
