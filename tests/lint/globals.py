"""No mutable globals: nothing of ours lies in .data, .bss or common, thread-local or not.

Reads the object files of a build folder, those that compile_commands.json names, so that objects of
deleted sources do not count. Tables of pointers lie in .data.rel.ro, which the loader makes
read-only. Sanitizers and coverage add objects of their own, recognised by name.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# (source, symbol): why this one must be.
ALLOWED = {
}

OBJECT = re.compile(r'^[0-9a-f]+ (?P<flags>.{7}) (?P<section>\S+)\t[0-9a-f]+ +(?P<name>\S+)$')
WRITABLE = re.compile(r'^(\.(data|bss|tdata|tbss)(\..*)?|\*COM\*)$')
READ_ONLY_LATER = re.compile(r'^\.data\.rel\.ro(\.|$)')
INSTRUMENTED = re.compile(r'asan|ubsan|tsan|sancov|llvm|gcov|__profd?_|^__unnamed_|^\.')


def mutable(obj):
    """Names of the writable objects of one object file."""
    table = subprocess.run(['objdump', '-t', str(obj)], check=True, capture_output=True, text=True)
    for line in table.stdout.split('\n'):
        match = OBJECT.match(line)
        if not match or not WRITABLE.match(match['section']):
            continue
        if READ_ONLY_LATER.match(match['section']) or INSTRUMENTED.search(match['name']):
            continue
        if 'd' not in match['flags']:  # else the name of the section itself
            # A static of a function is `calls.0` to gcc, `function.calls` to clang.
            yield re.sub(r'\.\d+$', '', match['name']).rpartition('.')[2]


def objects(build, root):
    """(source as seen from the root, object file) of everything below src/ that was compiled."""
    for entry in json.loads((build / 'compile_commands.json').read_text()):
        folder = pathlib.Path(entry['directory'])
        source = os.path.relpath((folder / entry['file']).resolve(), root)
        obj = folder / entry.get('output', '')
        if source.startswith('src/') and obj.is_file():
            yield source, obj


def check(build, root):
    n = 0
    for source, obj in sorted(set(objects(build, root))):
        n += 1
        for name in mutable(obj):
            if (source, name) not in ALLOWED:
                yield f'{source}: {name} is a mutable global'
    if n == 0:
        yield f'{build}: no object files of src/'


PLANTS = [
    ('static int counter; int f(void) { return ++counter; }', 'counter'),
    ('int f(void) { static int calls = 7; return ++calls; }', 'calls'),
    ('int shared; ', 'shared'),
    ('_Thread_local int each = 1;', 'each'),
    ('const char *names[] = { "a", "b" };', 'names'),
    ('static const char *const fixed[] = { "a" }; const char *f(int i) { return fixed[i]; }', None),
    ('static const int row[] = { 1, 2 }; int f(int i) { return row[i]; }', None),
]


def selftest():
    cc = os.environ.get('CC', 'cc').split()
    wrong = n = 0
    for flags in ([], ['-fcommon'], ['-fsanitize=address,undefined']):
        for text, expected in PLANTS:
            n += 1
            with tempfile.TemporaryDirectory() as folder:
                source, obj = pathlib.Path(folder, 'a.c'), pathlib.Path(folder, 'a.o')
                source.write_text(text)
                subprocess.run([*cc, '-fPIE', *flags, '-c', source, '-o', obj], check=True)
                said = list(mutable(obj))
            fine = said == ([expected] if expected else [])
            wrong += not fine
            print(f'{"ok" if fine else "not ok"} {n} - {expected or "read-only"} {" ".join(flags)}')
            if not fine:
                print(f'# said {said}')
    print(f'1..{n}')
    return 1 if wrong else 0


if __name__ == '__main__':
    if not shutil.which('objdump'):
        print('1..0 # SKIP objdump is not installed')
        sys.exit(77)
    if sys.argv[1:] == ['--selftest']:
        sys.exit(selftest())
    problems = list(check(pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[1]).resolve()))
    print('\n'.join(problems))
    sys.exit(1 if problems else 0)
