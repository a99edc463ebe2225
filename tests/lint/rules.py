"""Every rule is proved: a row that fires, a near miss that stays silent, a case or a live scenario,
and its entry in the rules page. Every proof is of a rule that exists.

The names of ordinary life claim nothing, they are what is left: they need to be seen once, and their
entry."""

import re

import house

ID = re.compile(r'(?:\.id\s*=|\b(?:ORDINARY|HARMFUL)\(\w+,)\s*"([^"]+)"')
VERDICT = re.compile(r'"([a-z0-9-]+)"[^"{}0-9]{0,60}\b(FIRES|SILENT|UNKNOWN)\b')
LEFT_OVER = 'src/rules/ordinary.c'
PAGE = 'man/tcpwhy-rules.7'


def rows(root):
    """id -> where its row stands."""
    found = {}
    for path in house.files(root, 'src/rules', suffixes={'.c', '.h'}):
        text = path.read_text(encoding='utf-8', errors='replace')
        for match in ID.finditer(text):
            found[match[1]] = (path, text.count('\n', 0, match.start()) + 1)
    return found


def verdicts(root):
    """(id, verdict) -> where a table of tests/rules says so."""
    found = {}
    for path in house.files(root, 'tests/rules', suffixes={'.c', '.h'}):
        text = path.read_text(encoding='utf-8', errors='replace')
        for match in VERDICT.finditer(text):
            found[match.groups()] = (path, text.count('\n', 0, match.start()) + 1)
    return found


def played(root):
    """Everything written below netns/ and cases/, names of files and folders included."""
    parts = []
    for path in house.files(root, 'tests/netns', 'tests/cases'):
        parts += [house.inside(root, path), path.read_text(encoding='utf-8', errors='replace')]
    return '\n'.join(parts)


def mentions(text, name):
    return re.search(rf'(?<![\w-]){re.escape(name)}(?![\w-])', text) is not None


def check(root):
    known, judged, scenes = rows(root), verdicts(root), played(root)
    page = root / PAGE
    manual = page.read_text(encoding='utf-8').replace('\\-', '-') if page.is_file() else ''
    for name, (path, number) in sorted(known.items()):
        is_left_over = path == root / LEFT_OVER
        for verdict in ('FIRES',) if is_left_over else ('FIRES', 'SILENT'):
            if (name, verdict) not in judged:
                yield path, number, f'{name}: no {verdict} row in tests/rules'
        if not is_left_over and not mentions(scenes, name):
            yield path, number, f'{name}: neither in tests/netns nor in tests/cases'
        if not mentions(manual, name):
            yield path, number, f'{name}: not in {PAGE}'
    for (name, verdict), (path, number) in sorted(judged.items()):
        if name not in known:
            yield path, number, f'{name}: {verdict} of a rule that does not exist'


GOOD = [{
    'src/rules/a.c': '{ .id = "close-wait-leak", },\n',
    LEFT_OVER: 'ORDINARY(ONE, "usual", N_("a"))\n',
    'tests/rules/a.c': '{ "close-wait-leak", FIRES, 1 },\n{ .rule = "close-wait-leak", .n = SILENT },'
                       '{ "usual", FIRES },\n{ "80 %", 80, 0, FIRES },\n{ "all", 100, FIRES },\n',
    'tests/cases/close-wait-leak/make.sh': 'true\n',
    PAGE: '.It Cm close-wait-leak\n.It Cm usual\n',
}]


def without(path, text=None):
    tree = dict(GOOD[0])
    tree.pop(path)
    return {**tree, path: text} if text is not None else tree


BAD = [
    (without('tests/rules/a.c', '{ "close-wait-leak", SILENT, 0 },\n'), 'no FIRES row'),
    (without('tests/rules/a.c', '{ "close-wait-leak", FIRES, 1 },\n'), 'no SILENT row'),
    (without('tests/cases/close-wait-leak/make.sh'), 'neither in tests/netns'),
    ({**without('tests/cases/close-wait-leak/make.sh'), 'tests/netns/a.sh': 'close-wait-leak-2\n'},
     'neither in tests/netns'),
    (without(PAGE), 'not in man/'),
    (without(PAGE, 'close-wait-leak\n'), 'usual: not in man/'),
    ({**GOOD[0], 'src/rules/b.c': 'ORDINARY(TWO,\n\t"second", N_("b"))\n'}, 'second: no FIRES row'),
    (without('src/rules/a.c'), 'a rule that does not exist'),
]

if __name__ == '__main__':
    house.main(check, BAD, GOOD)
