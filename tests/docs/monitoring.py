#!/usr/bin/env python3
"""What monitoring makes of the examples in tcpwhy-check(8), with its own programs: alert rules, units, and
metrics that node_exporter serves. monitoring.py TCPWHY PAGE. Prints TAP; a program that is missing is skipped.
"""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'netns'))
import boot  # pylint: disable=wrong-import-position
import run as docs  # pylint: disable=wrong-import-position
import stage  # pylint: disable=wrong-import-position

PATIENCE_S = 30
EXPORTER = 'prometheus-node-exporter'
UNIT = 'tcpwhy-check'

# Series as the check writes them, and the alerts of the page that must follow: none of them for a host that is well.
CASES = '''
rule_files: [alerts.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: 'tcpwhy_check_status{check="ports.share"}'
        values: '2x30'
      - series: 'tcpwhy_check_status{check="close-wait.age"}'
        values: '1x30'
      - series: 'tcpwhy_check_status{check="close-wait.nofile"}'
        values: '3x30'
      - series: 'tcpwhy_close_wait_left_seconds'
        values: '899x30'
      - series: 'tcpwhy_listen_overflows_total'
        values: '0+120x30'
      - series: 'node_textfile_mtime_seconds{file="/x/tcpwhy.prom"}'
        values: '0x30'
    alert_rule_test:
ALL
  - interval: 1m
    input_series:
      - series: 'tcpwhy_check_status{check="ports.share"}'
        values: '0x30'
      - series: 'tcpwhy_look_complete'
        values: '1x30'
      - series: 'tcpwhy_close_wait_left_seconds'
        values: '900x30'
      - series: 'tcpwhy_listen_overflows_total'
        values: '7+30x30'
      - series: 'node_textfile_mtime_seconds{file="/x/tcpwhy.prom"}'
        values: '0+60x30'
    alert_rule_test:
NONE
'''
LABELS = {
    'TcpCloseCritical': 'severity: critical, check: ports.share',
    'TcpCloseWarning': 'severity: warning, check: close-wait.age',
    'TcpDescriptorsSoonGone': 'severity: critical',
    'TcpAcceptQueueOverflows': 'severity: warning',
    'TcpCheckBlind': 'severity: warning, check: close-wait.nofile',
    'TcpCheckStale': 'severity: warning, file: /x/tcpwhy.prom',
}
TEXTS = {
    'TcpCloseCritical': '{summary: ": ports.share", description: "Ask there: sudo tcpwhy why"}',
    'TcpDescriptorsSoonGone': '{summary: ": EMFILE in 14m 59s"}',
}


def literal_blocks(page):
    lines = page.read_text().split('\n')
    return ['\n'.join(docs.from_mdoc(line) for line in lines[begin:end]) + '\n'
            for begin, end in docs.blocks(page, lines)]


def block_with(page, word):
    return next(b for b in literal_blocks(page) if word in b)


def skip(name, why):
    stage.results.append(True)
    print(f'ok {len(stage.results)} - {name} # SKIP {why}')


def call(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **more)


def plain(p):
    return f'{p.returncode}\n{p.stdout}\n{p.stderr}'


def expected(alert, fires):
    lines = f'      - alertname: {alert}\n        eval_time: 25m\n'
    if not fires:
        return lines + '        exp_alerts: []\n'
    lines += f'        exp_alerts:\n          - exp_labels: {{{LABELS[alert]}}}\n'
    return lines + (f'            exp_annotations: {TEXTS[alert]}\n' if alert in TEXTS else '')


def test_alerts(page, tmp):
    if not shutil.which('promtool'):
        return skip('alert rules', 'no promtool here')
    rules = block_with(page, 'alert:')
    pathlib.Path(tmp, 'alerts.yml').write_text(rules)
    p = call('promtool', 'check', 'rules', 'alerts.yml', cwd=tmp)
    names = re.findall(r'alert: (\w+)', rules)
    stage.check('alert rules', p.returncode == 0 and f'{len(names)} rules found' in p.stdout and names == list(LABELS), plain(p))
    pathlib.Path(tmp, 'cases.yml').write_text(CASES.replace('ALL\n', ''.join(expected(n, True) for n in names)).replace(
        'NONE\n', ''.join(expected(n, False) for n in names)))
    p = call('promtool', 'test', 'rules', 'cases.yml', cwd=tmp)
    return stage.check('alerts fire for what they name, and not for less', p.returncode == 0, plain(p))


def test_units(tool, page, tmp):
    if not shutil.which('systemd-analyze'):
        return skip('systemd units', 'no systemd-analyze here')
    service = block_with(page, '[Service]').replace('/usr/bin/tcpwhy', tool)
    pathlib.Path(tmp, 'tcpwhy-check.service').write_text(service)
    pathlib.Path(tmp, 'tcpwhy-check.timer').write_text(block_with(page, '[Timer]'))
    p = call('systemd-analyze', 'verify', '--man=no', './tcpwhy-check.service', './tcpwhy-check.timer', cwd=tmp)
    stage.check('systemd units', p.returncode == 0 and 'tcpwhy-check' not in p.stderr, plain(p))
    command = re.search(r'^ExecStart=((.*\\\n)*.*)', service, re.M)[1].replace('\\\n', ' ')
    command = command.replace('/run/tcpwhy/', tmp + '/').replace('/var/lib/prometheus/node-exporter/', tmp + '/')
    p = call(*command.split())
    return stage.check('the command of the unit', p.returncode == 0 and not p.stdout + p.stderr and
                       'tcpwhy_check_status{' in pathlib.Path(tmp, 'tcpwhy.prom').read_text() and
                       'tcpwhy.state/1' in pathlib.Path(tmp, 'textfile.state').read_text(), plain(p))


def until(what, *args):
    """The first answer of it that is one."""
    deadline = time.monotonic() + PATIENCE_S
    while not (answer := what(*args)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return answer


def written(path):
    return path.exists() and path.stat().st_mtime_ns


def is_done(call):
    p = call('systemctl', 'show', '-p', 'Result,ExecMainStatus,ActiveState', UNIT + '.service')
    return sorted(p.stdout.split()) == ['ActiveState=inactive', 'ExecMainStatus=0', 'Result=success']


def test_boot(tool, page, tmp):
    """The units, run by a systemd of their own, in nothing changed but how long the timer waits."""
    if not boot.can_boot():
        return skip('the timer fires', 'no systemd may be started here')
    root = pathlib.Path(tmp, 'root')
    units = {
        f'{UNIT}.service': block_with(page, '[Service]').replace('/usr/bin/tcpwhy', '/opt/tcpwhy'),
        f'{UNIT}.timer': block_with(page, '[Timer]'),
        f'{UNIT}.timer.d/soon.conf': '[Timer]\nOnBootSec=\nOnUnitActiveSec=\nOnBootSec=1s\nOnUnitActiveSec=1s\nAccuracySec=1ms\n',
        boot.FIRST: f'[Unit]\nRequires={UNIT}.timer\n',
    }
    metrics = root / 'var/lib/prometheus/node-exporter/tcpwhy.prom'
    with boot.booted(root, units) as call:
        metrics.parent.mkdir(parents=True)
        shutil.copy(tool, root / 'opt/tcpwhy')
        first = until(written, metrics)
        again = until(lambda: written(metrics) != first)
        stage.check('the timer fires, and again', first and again, [first, again])
        done = until(is_done, call)
        log = call('systemctl', 'status', UNIT + '.service')
        stage.check('the service ends well', done, plain(log))
        state = call('cat', '/run/tcpwhy/textfile.state')
        stage.check('its state is kept from one look to the next', 'tcpwhy.state/1' in state.stdout, plain(state))
    found = samples(metrics.read_text())
    return stage.check('its metrics are whole', found.get('tcpwhy_look_complete') == 1 and
                       found.get('tcpwhy_check_status{check="tw-buckets.overflows"}') == 0 and
                       list(metrics.parent.iterdir()) == [metrics], found)


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as s:
        return s.getsockname()[1]


def fetch(url):
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
                return answer.read().decode()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def samples(text):
    """Of ours: name and labels -> number, which others write in their own way."""
    return {name: float(value) for name, value in re.findall(r'^(tcpwhy_\S+) (\S+)$', text, re.M)}


def test_exporter(tool, tmp):
    if not shutil.which(EXPORTER):
        return skip('node_exporter serves the file', f'no {EXPORTER} here')
    folder = pathlib.Path(tmp, 'textfiles')
    folder.mkdir()
    call(tool, 'check', '--format', 'prometheus', '-o', str(folder / 'tcpwhy.prom'))
    address = f'127.0.0.1:{free_port()}'
    with subprocess.Popen([EXPORTER, '--collector.disable-defaults', '--collector.textfile',
                           f'--collector.textfile.directory={folder}', f'--web.listen-address={address}'],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as exporter:
        served = fetch(f'http://{address}/metrics')
        exporter.terminate()
    ours = samples((folder / 'tcpwhy.prom').read_text())
    return stage.check('node_exporter serves the file', len(ours) > 20 and ours == samples(served) and
                       '\nnode_textfile_scrape_error 0\n' in served, [ours, samples(served)])


def main():
    stage.enter()
    tool, page = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as tmp:
        test_alerts(page, tmp)
        test_units(tool, page, tmp)
        test_boot(tool, page, tmp)
        test_exporter(tool, tmp)
    return stage.end()


sys.exit(main())
