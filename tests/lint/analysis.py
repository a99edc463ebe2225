"""What static analysis finds, and why each exception is none: analysis.py gcc|cppcheck|clang-tidy ROOT.

gcc and cppcheck read all of src/. clang-tidy is dear and reads the folders that meet strangers' bytes.
A check is switched off for all, or for one file, with the reason beside it; an exception that was not
needed is named. --selftest: each of the tools that is here finds a planted bug.
"""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SKIP = 77
FLAGS = ['-std=gnu17', '-D_GNU_SOURCE', '-DTCPWHY_VERSION="x"', '-DTCPWHY_LOCALEDIR="x"', '-Isrc']
OFF = {
    'cppcheck': {
        'resourceLeak': 'it does not know __attribute__((cleanup)); gcc does, and LeakSanitizer runs',
        'memleak': 'the same',
    },
    'clang-tidy': {
        'bugprone-easily-swappable-parameters': 'a matter of taste',
        'bugprone-reserved-identifier': 'gettext is called _ everywhere',
        'bugprone-narrowing-conversions': '-Wconversion does it, without what -Wno-sign-conversion means',
        'bugprone-implicit-widening-of-multiplication-result': 'products of small constants; UBSan runs',
        'bugprone-sizeof-expression': 'arrays of pointers are allocated on purpose',
        'bugprone-macro-parentheses': 'macros of initialisers cannot have them',
        'bugprone-branch-clone': 'equal branches say why they are two',
        'clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling': 'glibc has no Annex K',
        'clang-analyzer-optin.performance.Padding': 'single structs of small tables',
        'clang-analyzer-valist.Uninitialized': 'wrong in LLVM 14 when more than one file is given',
    },
}
# (file, check): why it is wrong here.
ALLOWED = {
    'gcc': {
        ('src/wire/capture.c', '-Wanalyzer-malloc-leak'): 'the buffer belongs to the capture, freed with it',
        ('src/cli/watch.c', '-Wanalyzer-malloc-leak'): 'put_new_lines() takes the keys over, and frees those of the last look',
        ('src/watch/watcher.c', '-Wanalyzer-null-dereference'): 'growth is judged only where samples have owners',
        ('src/check/rates.c', '-Wanalyzer-null-dereference'): 'N_MEMORY_COUNTERS is no counter',
        ('src/util/buf.h', '-Wanalyzer-null-argument'): 'behind an IPv4 address stands a colon',
    },
    'cppcheck': {
        ('src/util/buf.h', 'uninitvar'): 'endpoint_put() has written up to where it points',
        ('src/lab/owner.c', 'leakReturnValNotUsed'): 'the lab makes a descriptor that leaks',
        ('src/live/owners.c', 'nullPointerRedundantCheck'): 'strstr() has not answered NULL there',
        ('src/live/owners.c', 'nullPointerArithmeticRedundantCheck'): 'the same',
    },
    'clang-tidy': {
        ('src/live/root.c', 'clang-analyzer-core.CallAndMessage'):
            'set whenever the function did not fail, which is asked',
        ('src/live/packer.c', 'bugprone-not-null-terminated-result'): 'fields of a header full of zeros',
        ('src/wire/ladder.c', 'clang-analyzer-core.NonNullParamChecker'): 'capacity and array grow together',
        ('src/wire/ladder.c', 'clang-analyzer-core.NullDereference'): 'the same',
        ('src/filter/host.c', 'clang-analyzer-security.insecureAPI.strcpy'): 'both lengths are checked above',
    },
}
TIDY_FOLDERS = ('wire', 'live', 'filter', 'util')
PLANTS = {
    'gcc': '#include <stdlib.h>\nint f(void); int f(void) { int *p = malloc(4); free(p); return *p; }\n',
    'cppcheck': 'int f(void); int f(void) { int a[2]; a[2] = 1; return a[0]; }\n',
    'clang-tidy': 'int f(int *p); int f(int *p) { int x = 1; if (!p) x = *p; return x; }\n',
}
LINE = {
    'gcc': re.compile(r'^(?P<file>\S+?):(?P<line>\d+):\d+: warning: (?P<what>.*) \[(?P<check>-W[^\]]+)\]$'),
    'cppcheck': re.compile(r'^(?P<file>\S+?):(?P<line>\d+): (?P<check>\w+): (?P<what>.*)$'),
    'clang-tidy': re.compile(r'^(?P<file>\S+?):(?P<line>\d+):\d+: (?:warning|error): (?P<what>.*?) \[(?P<check>[^\]]+)\]$'),
}


def command(tool, files, jobs):
    if tool == 'gcc':
        return ['gcc', *FLAGS, '-O2', '-fanalyzer', '-c', '-o', '/dev/null', *files]
    if tool == 'cppcheck':
        return ['cppcheck', f'-j{jobs}', '--std=c17', '--enable=warning,performance', '--quiet', '--library=posix',
                '--suppress=missingIncludeSystem', *[f'--suppress={c}' for c in OFF['cppcheck']], *FLAGS[1:],
                '--template={file}:{line}: {id}: {message}', *files]
    checks = ','.join(['-*', 'bugprone-*', 'clang-analyzer-*', *['-' + c for c in OFF['clang-tidy']]])
    return ['clang-tidy', f'--checks={checks}', '--quiet', *files, '--', *FLAGS]


def found_by(tool, root, files):
    """(file, line, check, words) of everything it complains about."""
    jobs = os.cpu_count() or 1
    groups = [files] if tool == 'cppcheck' else [[f] for f in files]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        runs = list(pool.map(lambda g: subprocess.run(command(tool, g, jobs), cwd=root, capture_output=True,
                                                      text=True, check=False), groups))
    for run in runs:
        for line in (run.stdout + run.stderr).splitlines():
            match = LINE[tool].match(line)
            if match and (tool != 'gcc' or match['check'].startswith('-Wanalyzer')):
                path = os.path.relpath(os.path.join(root, match['file']), root)
                # "a,b": a check and its alias.
                yield path, int(match['line']), match['check'].split(',')[0], match['what']
        if not (run.returncode == 0 or LINE[tool].search(run.stdout + run.stderr)) and tool != 'clang-tidy':
            yield str(run.args[-1]), 0, 'failed', run.stderr.strip()[-300:]


def sources(tool, root):
    files = sorted(str(p.relative_to(root)) for p in (root / 'src').rglob('*.c'))
    return [f for f in files if tool != 'clang-tidy' or f.split('/')[1] in TIDY_FOLDERS]


def check(tool, root):
    used = set()
    for path, line, name, what in sorted(set(found_by(tool, root, sources(tool, root)))):
        if (path, name) in ALLOWED[tool]:
            used.add((path, name))
        else:
            yield f'{path}:{line}: {what} [{name}]'
    # Another version of the tool may need others.
    for path, name in sorted(set(ALLOWED[tool]) - used):
        print(f'# {path}: {name}: the exception was not needed by this {tool}')


def selftest():
    wrong = number = 0
    for tool, plant in PLANTS.items():
        number += 1
        if not shutil.which(tool):
            print(f'ok {number} - {tool} # SKIP not installed')
            continue
        with tempfile.TemporaryDirectory() as tmp:
            (pathlib.Path(tmp) / 'src').mkdir()
            (pathlib.Path(tmp) / 'src/planted.c').write_text(plant)
            found = list(found_by(tool, pathlib.Path(tmp), ['src/planted.c']))
        wrong += not found
        print(f'{"ok" if found else "not ok"} {number} - {tool} finds a planted bug')
    print(f'1..{number}')
    return 1 if wrong else 0


def main():
    if sys.argv[1] == '--selftest':
        return selftest()
    tool, root = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    if not shutil.which(tool):
        print(f'{tool} is not installed')
        return SKIP
    complaints = list(check(tool, root))
    for line in complaints:
        print(line)
    return 1 if complaints else 0


sys.exit(main())
