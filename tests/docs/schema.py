#!/usr/bin/env python3
"""The JSON of every command against its schema in man/schema: schema.py TCPWHY.

The schemas allow keys that they do not name, as a later version may add some. Here they do not: a key
that is printed is a key that is described. And a document without any one of its keys is refused.
"""

import copy
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / 'tests/netns'))
import stage  # pylint: disable=wrong-import-position

try:
    from jsonschema import Draft202012Validator
except ImportError:
    print('1..0 # SKIP no jsonschema with draft 2020-12 here')
    sys.exit(0)

CASES, HERE = ROOT / 'tests/cases', ROOT / 'tests/docs'
LOOK = ['--from', str(HERE / 'db7')]
# Schema, JSON lines or not, command. A folder of tests/cases stands for {case}.
COMMANDS = [
    ('why', False, ['why', *LOOK, '-r', str(HERE / 'fin.pcap')]),
    ('list', False, ['list', *LOOK]),
    ('list', False, ['list', *LOOK, '--all-states', '-oeim']),
    ('list', True, ['list', *LOOK, '--all-states']),
    *(('list', False, ['list', *LOOK, '--by', by])
      for by in ('state', 'peer', 'local-port', 'owner', 'unit', 'container', 'netns')),
    ('pcap', False, ['pcap', str(HERE / 'upload.pcapng')]),
    ('pcap', True, ['pcap', str(HERE / 'upload.pcapng')]),
    ('pcap', False, ['pcap', '--two-sided', str(HERE / 'upload.pcapng'), str(HERE / 'fin.pcap')]),
    ('check', False, ['check', *LOOK]),
    ('check', False, ['check', '--from', '/no/such/folder']),
    ('audit', False, ['audit', *LOOK]),
    ('explain', False, ['explain']),
    ('explain', False, ['explain', 'CLOSE-WAIT', 'rst-after-close', 'ECONNRESET']),
]
OF_CASES = [
    ('why', False, ['why', '--from', '{case}/look', '--min-age', '0']),
    ('list', False, ['list', '--from', '{case}/look', '--all-states']),
    ('pcap', False, ['pcap', '{case}/capture.pcap']),
]
LIVE = [('why', False, ['why', '--dead-sockets']), ('list', False, ['list', '-a']), ('check', False, ['check']),
        ('audit', False, ['audit'])]


def bundled(name):
    """A schema with what it takes from common.json put into it."""
    def inline(node):
        if isinstance(node, list):
            return [inline(x) for x in node]
        if not isinstance(node, dict):
            return node
        node = {k: inline(v) for k, v in node.items()}
        if node.get('$ref', '').startswith('common.json'):
            node['$ref'] = node['$ref'].removeprefix('common.json')
        if isinstance(node.get('properties'), dict):
            node.setdefault('additionalProperties', False)
        return node

    schema, common = (inline(json.loads((ROOT / f'man/schema/{n}.json').read_text())) for n in (name, 'common'))
    return {**schema, '$defs': {**common['$defs'], **schema.get('$defs', {})}}


class Schemas:
    def __init__(self):
        self.of = {}
        for name in ('why', 'list', 'pcap', 'check', 'audit', 'explain', 'watch'):
            schema = bundled(name)
            Draft202012Validator.check_schema(schema)
            self.of[name, name == 'watch'] = Draft202012Validator(schema)  # which has lines only
            if 'line' in schema['$defs']:
                self.of[name, True] = Draft202012Validator({'$ref': '#/$defs/line', '$defs': schema['$defs']})

    def complaints(self, name, is_line, document):
        for error in self.of[name, is_line].iter_errors(document):
            deepest = error
            while deepest.context:
                deepest = max(deepest.context, key=lambda e: len(e.absolute_path))
            yield f'{"/".join(map(str, deepest.absolute_path))}: {deepest.message[:300]}'


def documents(tool, is_line, argv):
    form = '--json-lines' if is_line else '--json'
    done = subprocess.run([tool, argv[0], form, *argv[1:]], capture_output=True, text=True, check=False, timeout=60)
    return [json.loads(line) for line in done.stdout.splitlines()] if is_line else [json.loads(done.stdout)]


def test(schemas, tool, name, is_line, argv):
    found = documents(tool, is_line, argv)
    wrong = [line for document in found for line in schemas.complaints(name, is_line, document)]
    if not is_line:
        keys = list(found[0])
        wrong += ['schema is not first or complete not last'] * ((keys[0], keys[-1]) != ('schema', 'complete'))
    words = ' '.join(['json-lines' if is_line else 'json', *argv]).replace(str(ROOT) + '/', '')
    stage.check(words, found and not wrong, '\n'.join(wrong[:20]))
    return found


def test_that_schemas_refuse(schemas, name, document):
    """Each key of the document, of the first element of its lists and of what is in them."""
    def paths(node, at):
        if isinstance(node, dict) and at[-1:] not in (['facts'], ['skipped'], ['states']):
            for key, value in node.items():
                if key != 'mptcp':
                    yield at + [key]
                yield from paths(value, at + [key])
        elif isinstance(node, list) and node:
            yield from paths(node[0], at + [0])

    passed = []
    for path in paths(document, []):
        less = copy.deepcopy(document)
        node = less
        for step in path[:-1]:
            node = node[step]
        if isinstance(path[-1], str) and path[-2:-1] not in (['facts'], ['skipped'], ['states']):
            del node[path[-1]]
            if not any(schemas.complaints(name, False, less)):
                passed.append('.'.join(map(str, path)))
    stage.check(f'{name}: no key may be missing', not passed, passed)


def test_watch(schemas, tool):
    """Looks at an owner and events, while connections come and go on the loopback of this namespace."""
    over = threading.Event()

    def talk(listener):
        with_reset = 0
        while not over.is_set():
            client = socket.create_connection(listener.getsockname())
            server = listener.accept()[0]
            server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', with_reset, 0))
            with_reset = 1 - with_reset
            server.close()
            client.close()
            over.wait(0.02)

    with socket.create_server(('127.0.0.1', 0)) as listener, socket.create_server(('127.0.0.1', 0)) as left:
        kept = [socket.create_connection(left.getsockname()) for _ in range(3)]
        for client in kept:
            left.accept()[0].close()
        thread = threading.Thread(target=talk, args=(listener,))
        thread.start()
        found = test(schemas, tool, 'watch', True, ['watch', '-c', '3', '-d', '300ms', '-i', 'lo', '-E', '--min-age', '0'])
        over.set()
        thread.join()
        kinds = {line.get('type') for line in found}
        stage.check('watch: every kind of line was seen', kinds >= {'look', 'fin', 'rst', 'gone', None} and
                    any(line.get('owners') for line in found), sorted(map(str, kinds)))


def main():
    tool = str(pathlib.Path(sys.argv[1]).resolve())
    if stage.can_unshare():
        stage.enter()
    schemas, first = Schemas(), {}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name, is_line, argv in COMMANDS + (LIVE if stage.INSIDE in os.environ else []):
            found = test(schemas, tool, name, is_line, argv)
            if not is_line:
                first.setdefault(name, found[0])
        for case in sorted(p.parent for p in CASES.glob('*/look')):
            for name, is_line, argv in OF_CASES:
                if name != 'pcap' or (case / 'capture.pcap').exists():
                    test(schemas, tool, name, is_line, [word.format(case=case) for word in argv])
    if stage.INSIDE in os.environ:
        test_watch(schemas, tool)
    for name, document in first.items():
        test_that_schemas_refuse(schemas, name, document)
    return stage.end()


if __name__ == '__main__':
    sys.exit(main())
