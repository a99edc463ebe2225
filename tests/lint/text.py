"""Of every file written by hand: length, trailing blanks, forgotten notes, paths of one machine; of
every header: its promise."""

import re

import house

LONG, TOO_LONG = 600, 900
GENERATED = {'man/tcpwhy-rules.7', 'man/tcpwhy-json.5'}  # from the rows: as long as there are rules
# Spelt in two halves, so that this file passes its own lint.
NOTE = re.compile(r'\b(TO' r'DO|FIX' r'ME|XX' r'X)\b')
# Of a command on a line of its own nothing is quoted for mdoc; around a word it would be gone.
EATEN = re.compile(r'\.D[l1] (.* )?"')
MACHINE = re.compile(r'(^|[^a-z.])/(wo' r'rk|fa' r'rm)/|/tmp/(b[a-z]+|clone-)')


def line_problem(line):
    if line != line.rstrip(' \t\r'):
        return 'trailing blanks'
    if NOTE.search(line):
        return 'a note to oneself: do it or open an issue'
    if MACHINE.search(line):
        return 'a path of one machine'
    return None


def page_problem(line):
    if not line.isascii():
        return 'a page is ASCII: roff has names for the rest'
    if EATEN.match(line):
        return 'mdoc takes these quotes for its own: \\(dq is one that is shown'
    return None


def promise_problem(text):
    """A header is `#pragma once`, one paragraph, then declarations."""
    if not text.startswith('#pragma once\n'):
        return 'a header begins with #pragma once'
    if not re.match(r'#pragma once\n\n/\* [A-Z](?:(?!\*/).)*\.(?:\s|\*/)', text, re.S):
        return 'behind #pragma once stands a comment: what the thing is, in sentences'
    return None


def check(root):
    for path in house.code_files(root):
        found = house.lines(path)
        for number, line in found:
            problem = line_problem(line)
            if not problem and path.parent.name == 'man':
                problem = page_problem(line)
            if problem:
                yield path, number, problem
        if house.inside(root, path) in GENERATED:
            continue
        if len(found) > TOO_LONG:
            yield path, len(found), f'longer than {TOO_LONG} lines: it hides two files'
        elif len(found) > LONG:
            print(f'# {house.inside(root, path)}: {len(found)} lines; a file settles at 200 to 400')
    for path in house.files(root, 'src', 'tests', suffixes={'.h'}):
        problem = promise_problem(path.read_text(encoding='utf-8', errors='replace'))
        if problem:
            yield path, 1, problem


PROMISE = '#pragma once\n\n/* One thing, in milliseconds. */\n'
BAD = [
    ({'src/a.c': 'int a; \n'}, 'trailing blanks'),
    ({'README.md': 'text\t\n'}, 'trailing blanks'),
    ({'bootstrap': '#!/bin/sh\ntrue \n'}, 'trailing blanks'),
    ({'src/a.c': '/* TO' 'DO: later */\n'}, 'a note to oneself'),
    ({'tests/a.py': '# FIX' 'ME\n'}, 'a note to oneself'),
    ({'man/a.8': '.\\" XX' 'X\n'}, 'a note to oneself'),
    ({'man/a.8': 'a \u2026 b\n'}, 'a page is ASCII'),
    ({'man/a.8': '.Dl jq (.type == "rst")\n'}, 'takes these quotes'),
    ({'tests/a.sh': 'cd /wo' 'rk/main\n'}, 'a path of one machine'),
    ({'meson.build': "# /tmp/b" "house\n"}, 'a path of one machine'),
    ({'src/a.c': '\n' * TOO_LONG}, 'longer than'),
    ({'src/a.h': '/* A thing. */\n#pragma once\n'}, 'begins with #pragma once'),
    ({'src/a.h': '#pragma once\n\nint a;\n'}, 'stands a comment'),
    ({'src/a.h': '#pragma once\n\n/* a.h */\nint a;\n'}, 'stands a comment'),
]
GOOD = [{'src/a.h': PROMISE, 'src/b.c': '\n' * LONG + 'int b; /* see https://example.org/work */\n',
         'man/a.8': '.Dl jq (.type == \\(dqrst\\(dq) {"a":1}\n.Bl -tag -width "a b"\n',
         'tests/fuzz/corpus/x/y.c': 'trailing \n', 'build-test/a.c': 'trailing \n',
         'tests/cases/a/want.txt': 'recorded output \n'}]

if __name__ == '__main__':
    house.main(check, BAD, GOOD)
