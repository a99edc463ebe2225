"""tcpwhy-json(5), written from the schemas: json_page.py SCHEMA-FOLDER."""

import json
import pathlib
import re
import sys

HEAD = r'''.\" Written by man/json_page.py from man/schema: change those.
.Dd November 21, 2026
.Dt TCPWHY-JSON 5
.Os
.Sh NAME
.Nm tcpwhy-json
.Nd the documents that tcpwhy writes for scripts
.Sh DESCRIPTION
With
.Fl -json
every command of
.Xr tcpwhy 8
that reports writes one JSON document.
Its first key is
.Ql schema ,
which names the document and its number; its last is
.Ql complete .
A document without
.Ql complete
was cut.
If it is false the report lacks something that it should have, and
.Ql gaps
says what.
.Pp
Scripts may rely on this:
.Bl -bullet -compact
.It
A key may be added at any time.
One that is renamed, dropped or gets another type makes a new schema number.
.It
Every key below is there, save those marked optional.
What is not known is null and never 0; an empty list is [].
.It
Instants are epoch seconds with a fraction as fine as the source.
Durations, sizes and shares are numbers with their unit in the key.
.It
Text that came from outside is valid UTF-8 and escaped: two names that differ stay different.
.It
Values of a fixed set are the same in every language; sentences are translated.
.El
.Pp
With
.Fl -json-lines
.Cm list
and
.Cm pcap
write one
.Va socket
or
.Va connection
a line, and a last line with
.Ql complete ,
.Ql schema
and
.Ql gaps .
.Cm watch
writes lines only, of several kinds.
.Cm lab Fl -json
writes the document of
.Cm why .
'''
TAIL = r'''.Sh FILES
.Bl -tag -width Ds
.It Pa share/tcpwhy/schema/
Below the prefix of the installation: the same as JSON Schema, draft 2020-12: a file for each document and
.Pa common.json
with what they share.
.El
.Sh EXAMPLES
Which process leaks, how many connections, for how long:
.Bd -literal
$ tcpwhy --json | jq -c '.findings[] | [.rule, .subject.comm, .count, .oldest_ms]'
["close-wait-leaked-fd","shop-api",37,188132]
["close-wait-leaked-fd","mailer",4,188132]
.Ed
.Pp
Peers of what is in CLOSE-WAIT, without waiting for the end of the list:
.Bd -literal
$ tcpwhy list --json-lines dport = :443 | jq -r 'select(.peer) | .peer.addr' | sort | uniq -c
      4 203.0.113.5
.Ed
.Pp
Only if the answer is whole:
.Bd -literal
$ tcpwhy pcap --json upload.pcapng | jq -e 'select(.complete) | .connections | length'
3
.Ed
.Sh SEE ALSO
.Xr jq 1 ,
.Xr tcpwhy-rules 7 ,
.Xr tcpwhy 8 ,
.Xr tcpwhy-check 8
'''
# Documents in the order of the page, and what of common.json is an object of its own there.
DOCUMENTS = ['why', 'list', 'pcap', 'check', 'audit', 'explain', 'watch']
OBJECTS = ['finding', 'subject', 'fix', 'socket', 'owner', 'connection', 'fin', 'rst', 'gap', 'endpoint', 'place']


def plain(text):
    """Each sentence on a line of its own, as mdoc wants it."""
    return re.sub(r'(?<=[.;]) (?=[A-Z0-9a-z])', '\n', text.replace('\\', '\\e'))


def reference(node):
    """'socket' of a $ref, also of one that may be null."""
    if 'oneOf' in node:
        names = [reference(x) or 'null' for x in node['oneOf'] if '$ref' in x or x.get('type') == 'null']
        return ' or '.join(names) if len(names) == len(node['oneOf']) else None
    return node['$ref'].rpartition('/')[2] if '$ref' in node else None


class Page:
    def __init__(self, folder):
        self.schema = {p.stem: json.loads(p.read_text()) for p in pathlib.Path(folder).glob('*.json')}
        self.common = self.schema['common']['$defs']

    def looked_up(self, node):
        """What is no object of its own on the page is described where it is used."""
        name = reference(node)
        if name in self.common and name not in OBJECTS:
            return {**self.common[name], **{k: v for k, v in node.items() if k != '$ref'}}
        return node

    def kind(self, node):
        node = self.looked_up(node)
        if reference(node):
            return reference(node)
        if 'const' in node:
            return node['const']
        if 'enum' in node:
            return ' | '.join('null' if v is None else str(v) for v in node['enum'])
        if node.get('type') == 'array':
            items = self.looked_up(node['items'])
            if 'oneOf' in items:
                return 'list of ' + ' or '.join(reference(x) for x in items['oneOf'])
            return 'list of ' + re.sub('^an? ', '', self.kind(items)) + 's' * (reference(items) is None)
        if 'oneOf' in node:
            return 'object or null'
        if self.is_of_states(node):
            return 'a number for each state'
        types = node.get('type')
        return ' or '.join(types) if isinstance(types, list) else types

    def is_of_states(self, node):
        keys = set(node.get('properties', {}))
        return keys and keys <= set(self.common['state']['enum'])

    def inner(self, node):
        """The object whose keys are to be described below its own."""
        node = self.looked_up(node)
        if node.get('type') == 'array':
            node = self.looked_up(node['items'])
        for part in node.get('oneOf', [node]):
            if 'properties' in part and not self.is_of_states(part):
                return part
        return None

    def keys(self, node):
        yield '.Bl -tag -width Ds -compact'
        for key, value in node['properties'].items():
            optional = '' if key in node['required'] else ', optional'
            yield f'.It Va {key}'
            yield f'.Pq {plain(self.kind(value))}{optional}'
            said = self.looked_up(value).get('description')
            if said:
                yield plain(said)
            below = self.inner(value)
            if below:
                yield from self.keys(below)
        yield '.El'

    def whole(self):
        yield HEAD.rstrip('\n')
        yield '.Sh DOCUMENTS'
        for name in DOCUMENTS:
            for document in self.schema[name].get('oneOf', [self.schema[name]]):
                yield f'.Ss {document["title"]}'
                yield from self.keys(document)
        yield '.Sh OBJECTS'
        for name in OBJECTS:
            yield f'.Ss {name}'
            if 'description' in self.common[name]:
                yield plain(self.common[name]['description'])
            yield from self.keys(self.inner(self.common[name]))
        yield TAIL.rstrip('\n')


print('\n'.join(Page(sys.argv[1]).whole()))
