"""How the program was built, read from the program itself: hardened.py PROGRAM [sanitized] [unoptimised]. TAP.

A position-independent executable; relocations read-only before main() (full RELRO); no memory both
writable and executable; no path to libraries of its own; stack protector; checked copies
(_FORTIFY_SOURCE=3, not with sanitizers or without optimisation); on x86 marked for IBT and shadow stacks.
"""

import platform
import re
import subprocess
import sys

results = []


def check(name, is_good, seen=''):
    results.append(bool(is_good))
    print(f'{"ok" if is_good else "not ok"} {len(results)} - {name}')
    if not is_good:
        print('#', str(seen)[:2000].replace('\n', '\n# '))


def readelf(program, *what):
    return subprocess.run(['readelf', '-W', *what, program], capture_output=True, text=True, check=True).stdout


def main():
    program, options = sys.argv[1], set(sys.argv[2:])
    header, segments, dynamic = readelf(program, '-h'), readelf(program, '-l'), readelf(program, '-d')
    symbols, notes = readelf(program, '--dyn-syms'), readelf(program, '-n')
    imported = set(re.findall(r'UND (\w+)', symbols))
    check('position-independent executable', 'DYN' in header and re.search(r'FLAGS_1.*PIE', dynamic), header)
    check('full RELRO', 'GNU_RELRO' in segments and re.search(r'FLAGS.*NOW', dynamic), dynamic)
    check('no executable stack', re.search(r'GNU_STACK.*\sRW\s', segments), segments)
    check('nothing writable and executable', not re.search(r'LOAD.*RWE', segments), segments)
    check('no path of its own to libraries', not re.search(r'RPATH|RUNPATH', dynamic) or 'sanitized' in options,
          dynamic)
    check('stack protector', '__stack_chk_fail' in imported, sorted(imported))
    if not options:
        check('checked copies', {'__memcpy_chk', '__snprintf_chk'} & imported, sorted(imported))
        check('checked output', '__fprintf_chk' in imported, sorted(imported))
    if platform.machine() in ('x86_64', 'i686'):
        check('IBT and shadow stack', re.search(r'IBT, SHSTK', notes), notes)
    print(f'1..{len(results)}')
    return 0 if all(results) else 1


sys.exit(main())
