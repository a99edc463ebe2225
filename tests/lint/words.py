"""Sentences meant for people go through _(): a heuristic over the literals of printing calls.

Looks at printf() and its kin in cli/ and report/, and at fail_set() and fail_hint() everywhere. A
literal counts as prose when, without its conversions, a word of letters is left. Ids, keys and the
like that are printed on purpose carry a comment on their line: untranslated: WHY. The sentences of
a table row are marked with N_() where they stand.
"""

import re

import house

PRINTERS = {'say_line', 'printf', 'fprintf', 'puts', 'fputs', 'dprintf', 'perror', 'err', 'errx', 'warn', 'warnx'}
FAILERS = {'fail_set': 2, 'fail_hint': 1}  # and the argument that is the sentence
MARKERS = {'_', 'N_', 'gettext', 'ngettext'}
EXEMPT = 'untranslated:'
ROW = re.compile(r'\.(title|says|why|text|effect|risk|does|does_not|danger)\s*=\s*"(?!")')

TOKEN = re.compile(r'''
    (?P<comment>/\*.*?\*/|//[^\n]*)
  | (?P<text>"(?:\\.|[^"\\\n])*")
  | (?P<char>'(?:\\.|[^'\\\n])*')
  | (?P<call>[A-Za-z_]\w*)?[ \t]*(?P<open>\()
  | (?P<close>\))
  | (?P<comma>,)
  | (?P<word>\w+)
''', re.S | re.X)


def is_prose(literal):
    rest = re.sub(r'%[-+ #0-9.*]*(?:hh?|ll?|[jztL])?[a-zA-Z]|\\x[0-9a-f]+|\\.', ' ', literal[1:-1])
    rest = re.sub(r'\btcpwhy\b|[\w.-]*[_=][\w.-]*|--?[\w-]+', ' ', rest)
    return re.search(r'[A-Za-z]{2,}', rest) is not None


def literals(source):
    """(offset, text, name of the innermost call, number of its argument) of each string."""
    stack = []
    for token in TOKEN.finditer(source):
        if token['open']:
            # A bare parenthesis belongs to the call around it: printf((x ? "a" : "b")).
            outer = stack[-1] if stack else [None, 0]
            stack.append([token['call'], 0] if token['call'] else list(outer))
        elif token['close'] and stack:
            stack.pop()
        elif token['comma'] and stack:
            stack[-1][1] += 1
        elif token['text'] and stack:
            yield token.start(), token['text'], stack[-1][0], stack[-1][1]


def is_shown(call, argument, in_front):
    if call in FAILERS:
        return argument >= FAILERS[call]
    return in_front and call in PRINTERS


def check(root):
    for path in house.files(root, 'src', suffixes={'.c', '.h'}):
        source = path.read_text(encoding='utf-8', errors='replace')
        rows = source.split('\n')
        in_front = house.inside(root, path).split('/')[1] in ('cli', 'report')
        for offset, text, call, argument in literals(source):
            number = source.count('\n', 0, offset) + 1
            if EXEMPT in rows[number - 1] or not is_shown(call, argument, in_front):
                continue
            if is_prose(text):
                yield path, number, f'not translatable: {call}({text})'
        for match in ROW.finditer(source):
            yield path, source.count('\n', 0, match.start()) + 1, f'.{match[1]} without N_()'


BAD = [
    ({'src/cli/a.c': 'fprintf(stderr, "no such file\\n");\n'}, 'not translatable'),
    ({'src/report/a.c': 'printf("%zu sockets\\n", n);\n'}, 'not translatable'),
    ({'src/cli/a.c': 'puts((x ? "yes" : "no"));\n'}, 'not translatable'),
    ({'src/cli/a.c': 'printf("%s", _("good"));\nprintf("bad");\n'}, 'printf("bad")'),
    ({'src/live/a.c': 'fail_set(f, "netlink", "permission denied");\n'}, '"permission denied"'),
    ({'src/rules/a.c': '\t.says = "{count} sockets",\n'}, '.says without N_()'),
    ({'src/explain/a.c': '{ .id = "x", .text =\n\t"what" }\n'}, '.text without N_()'),
    ({'src/wire/a.c': 'fail_hint(f, "use the other file");\n'}, 'not translatable'),
]
GOOD = [{
    'src/cli/a.c': 'fprintf(stderr, _("no such file\\n" "at all"));\n'
                   'fprintf(stderr, "tcpwhy: %s: %s\\n", a, _("is a folder"));\n'
                   'printf("%-10s %5llu\\n", name("inner"), n);\n'
                   'printf("# TYPE %s gauge\\n", n); /* untranslated: Prometheus */\n'
                   'printf("tcpwhy_sockets{state=\\"%s\\"}\\n", s);\n/* printf("comment") */\n',
    'src/rules/a.c': '{ .id = "x", .says = N_("some"), .refs = "RFC", .text = words },\n',
    'src/live/a.c': 'fail_set(f, "netlink", _("permission denied"));\nsnprintf(b, 9, "any text");\n',
}]

if __name__ == '__main__':
    house.main(check, BAD, GOOD)
