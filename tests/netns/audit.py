"""The settings of a namespace of its own, default and spoilt: audit.py TCPWHY. TAP; nothing where no network
namespace may be made. Nothing outside the namespace is written."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile

import stage

SPOILT = {
    'net.ipv4.tcp_fin_timeout': ('90', 60),
    'net.ipv4.tcp_timestamps': ('0', 1),
    'net.ipv4.tcp_orphan_retries': ('1', 0),
    'net.ipv4.tcp_retries2': ('3', 15),
    'net.ipv4.tcp_abort_on_overflow': ('1', 0),
    'net.core.somaxconn': ('16', 4096),
    'net.ipv4.tcp_max_tw_buckets': ('100', 131072),
    'net.ipv4.tcp_challenge_ack_limit': ('100', 1000),
    'net.ipv4.ip_local_port_range': ('40000 40100', '32768 60999'),
}

def write(name, value):
    pathlib.Path('/proc/sys', name.replace('.', '/')).write_text(value)


def audit(tool, *args):
    return subprocess.run([tool, 'audit', *args], capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, 'COLUMNS': '80'})


def warnings(tool):
    document = json.loads(audit(tool, '--json').stdout)
    keys = list(document)
    stage.check('json: schema first, complete last', keys[0] == 'schema' and keys[-1] == 'complete' and
          document['schema'] == 'tcpwhy.audit/1' and document['complete'] is True, keys)
    return {s['name']: s for s in document['settings'] if s['verdict'] == 'warning'}, document


def test_default(tool):
    found, document = warnings(tool)
    stage.check('a new namespace: nothing to warn of', not found, found)
    stage.check('status 0', audit(tool, '--exit-code').returncode == 0)
    absent = [s for s in document['settings'] if s['name'] == 'net.ipv4.tcp_max_orphans']
    stage.check("the host's alone: unknown, not zero", absent and absent[0]['value'] is None and
          absent[0]['verdict'] is None, absent)


def test_spoilt(tool, tmp):
    for name, (value, _) in SPOILT.items():
        write(name, value)
    found, _ = warnings(tool)
    for name, (value, proposed) in SPOILT.items():
        row = found.get(name, {})
        stage.check(f'{name} = {value}', str(row.get('value')) == value and row.get('proposed') == proposed and
              row.get('why'), row)
    stage.check('and nothing else', set(found) == set(SPOILT), set(found) ^ set(SPOILT))
    stage.check('status 1', audit(tool, '--exit-code').returncode == 1)
    text = audit(tool).stdout
    stage.check('80 columns', all(len(line) <= 80 for line in text.splitlines()), text)
    test_findings(tool)
    test_draft(tool, os.path.join(tmp, 'draft.conf'))


def test_findings(tool):
    """What is harmful is a finding of `why`, too; a filter for connections leaves it out."""
    def rules(*args):
        report = subprocess.run([tool, 'why', '--json', *args], capture_output=True, text=True, check=False)
        return {f['rule'] for f in json.loads(report.stdout)['findings']}

    expected = {
        'sysctl-harmful-fin-timeout-over-60', 'sysctl-harmful-timestamps-off',
        'sysctl-harmful-orphan-retries-low', 'sysctl-harmful-retries2-low',
        'sysctl-harmful-abort-on-overflow', 'sysctl-harmful-somaxconn-low', 'sysctl-harmful-tw-buckets-low',
        'sysctl-harmful-challenge-ack-limit', 'sysctl-harmful-port-range'}
    stage.check('why: a finding each', rules() == expected, rules() ^ expected)
    stage.check('why: not where connections are asked for', not rules('state', 'close-wait'))
    write('net.ipv4.tcp_fin_timeout', '3')
    stage.check('why: sysctl-harmful-fin-timeout-low', 'sysctl-harmful-fin-timeout-low' in rules())
    write('net.ipv4.tcp_fin_timeout', '90')
    test_conntrack(rules)
    # A table of one place: the second connection that closes finds it taken.
    write('net.ipv4.tcp_max_tw_buckets', '1')
    with socket.create_server(('127.0.0.1', 8080)) as listener:
        for _ in range(3):
            client = socket.create_connection(('127.0.0.1', 8080))
            server = listener.accept()[0]
            server.close()
            client.recv(1)
            client.close()
    stage.check('why: time-wait-bucket-overflow', 'time-wait-bucket-overflow' in rules(), rules())
    write('net.ipv4.tcp_max_tw_buckets', '100')


def test_conntrack(rules):
    """A short memory harms only where something is remembered: a rule that asks for it starts that."""
    name = 'net.netfilter.nf_conntrack_tcp_timeout_close_wait'
    rule = 'sysctl-harmful-conntrack-short'
    subprocess.run(['nft', 'add table inet t; add chain inet t c { type filter hook input priority 0; };'
                    'add rule inet t c ct state new accept'], check=True)
    write(name, '30')
    stage.check('why: nothing is tracked, nobody harmed', rule not in rules())
    with socket.create_server(('127.0.0.1', 8081)) as listener, \
         socket.create_connection(listener.getsockname()):
        stage.check('why: ' + rule, rule in rules())
        write(name, '60')
        stage.check('why: 60 s are in order', rule not in rules())


def test_draft(tool, path):
    stage.check('draft', audit(tool, '--draft', path).returncode == 0)
    lines = [line for line in pathlib.Path(path).read_text().splitlines() if line and line[0] != '#']
    stage.check('draft: what was proposed', dict(line.split(' = ') for line in lines) ==
          {name: str(proposed) for name, (_, proposed) in SPOILT.items()}, lines)
    stage.check('draft: nothing was applied',
          pathlib.Path('/proc/sys/net/ipv4/tcp_fin_timeout').read_text() == '90\n')
    again = audit(tool, '--draft', path)
    stage.check('draft: never over a file', again.returncode == 1 and again.stderr.startswith('tcpwhy: '),
          again.stderr)
    counted = {c['name']: c['value'] for c in warnings(tool)[1]['counters']}
    stage.check('counters: what the table of one place cost', counted['TCPTimeWaitOverflow'] >= 1 and
                counted['TCPAbortOnLinger'] == 0, counted)
    stage.check('counters: in words', 'TCPTimeWaitOverflow' in audit(tool).stdout and
                'TCPAbortOnLinger' not in audit(tool).stdout)
    subprocess.run(['sysctl', '-q', '-p', path], check=True)
    stage.check('draft: applied by hand it mends everything', not warnings(tool)[0])


def main():
    stage.enter()
    with tempfile.TemporaryDirectory() as tmp:
        test_default(sys.argv[1])
        test_spoilt(sys.argv[1], tmp)
    return stage.end()


sys.exit(main())
