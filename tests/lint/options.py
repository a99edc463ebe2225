"""Every option and command that --help shows, and every column of `list`, stands in the manual page. The completions ask the program."""

import re

import house

TABLE, PAGE, COLUMNS = 'src/cli/options.c', 'man/tcpwhy.8', 'src/report/columns.c'
# { "name", 'l' or 0, argument, commands, OPT_ID, N_("help") or NULL }
OPTION = re.compile(r'\{\s*"([a-z0-9-]+)",\s*(?:\'(.)\'|0),[^{}]*?\bOPT_\w+,\s*(N_\(|NULL)')
COMMAND = re.compile(r'\[COMMAND_\w+\]\s*=\s*\{\s*"([a-z]+)"')
# { "name", "unit", "Title", width, …
COLUMN = re.compile(r'^\t\{ "([a-z-]+)", "\w*", "[^"]*", \d+,', re.M)
# As written for a terminal and in mdoc: `Fl -read`, `Fl r , -read`.
IN_FRONT = r'(?:--|Fl Fl |Fl -|, -)'


def says_option(text, name):
    return re.search(rf'{IN_FRONT}{re.escape(name)}(?![\w-])', text.replace('\\-', '-')) is not None


def says_command(text, name):
    return re.search(rf'(?<![\w-]){name}(?![\w-])', text) is not None


def check(root):
    table = root / TABLE
    if not table.is_file():
        return
    source = table.read_text(encoding='utf-8')
    shown = sorted({m[1] for m in OPTION.finditer(source) if m[3] != 'NULL'})
    commands = COMMAND.findall(source)
    if not (shown and commands):
        yield table, 1, 'the tables are not where this lint looks for them'
    path = root / PAGE
    text = path.read_text(encoding='utf-8') if path.is_file() else ''
    for name in shown:
        if not says_option(text, name):
            yield path, 1, f'--{name} is missing'
    source = root / COLUMNS
    columns = COLUMN.findall(source.read_text(encoding='utf-8')) if source.is_file() else []
    if source.is_file() and not columns:
        yield source, 1, 'the table of columns is not where this lint looks for it'
    for name in columns:
        if not says_command(text, name):
            yield path, 1, f'the column {name} is missing'
    for name in commands:
        if not says_command(text, name):
            yield path, 1, f'the command {name} is missing'


SOURCE = '''[COMMAND_WHY] = { "why", "x", N_("y") },
{ "json", 0, NULL, EVERY, OPT_JSON, N_("one") },
{ "read", 'r', "FILE", A | B,
  OPT_CAPTURE, N_("two") },
{ "oneline", 'O', NULL, LIST, OPT_ONELINE, NULL },
'''
GOOD = [{TABLE: SOURCE, PAGE: '.Cm why\n.It Fl Fl json\n.It Fl r , -read Ar FILE\n'}]
BAD = [
    ({**GOOD[0], PAGE: '.Cm why\n.It Fl Fl json-lines\n.It Fl Fl read\n'}, '--json is missing'),
    ({**GOOD[0], PAGE: '.It Fl Fl json\n.It Fl Fl read\n'}, 'command why is missing'),
    ({**GOOD[0], COLUMNS: '\t{ "rtt", "_us", "Rtt us", 8, true,\n'}, 'column rtt is missing'),
    ({**GOOD[0], COLUMNS: 'static const int rows;\n'}, 'table of columns is not where'),
    ({**GOOD[0], TABLE: 'static const int rows;\n'}, 'not where this lint looks'),
]

if __name__ == '__main__':
    house.main(check, BAD, GOOD)
