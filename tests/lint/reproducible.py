"""Two builds in different folders give the same bytes: reproducible.py ROOT CC... TAP.

Copies of src/ and of what building it needs lie in folders of different length and depth; one build is
inside its copy, the other beside it. Built with debug information, which names folders most.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile


def build(root, source, folder, cc):
    source.mkdir(parents=True)
    for name in ('src', 'man', 'completions', 'meson.build', 'meson_options.txt'):
        if (root / name).is_dir():
            shutil.copytree(root / name, source / name)
        else:
            shutil.copy(root / name, source)
    env = {**os.environ, 'CC': cc, 'LC_ALL': 'C'}
    for argv in (['meson', 'setup', '-Dtests=false', '-Dbuildtype=debug', folder, source],
                 ['ninja', '-C', folder, 'src/cli/tcpwhy']):
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f'{argv}: {done.stdout[-2000:]}{done.stderr[-2000:]}')
    return folder / 'src/cli/tcpwhy'


def main():
    root, cc = pathlib.Path(sys.argv[1]), ' '.join(sys.argv[2:])
    with tempfile.TemporaryDirectory() as tmp:
        here = pathlib.Path(tmp)
        first = build(root, here / 'a', here / 'a/build', cc)
        second = build(root, here / 'a/much/longer/place', here / 'beside', cc)
        contents = first.read_bytes(), second.read_bytes()
        same = contents[0] == contents[1]
        print(f'{"ok" if same else "not ok"} 1 - two builds in different folders give the same bytes')
        named = [str(place).encode() for place in (here,) if any(str(place).encode() in c for c in contents)]
        print(f'{"not ok" if named else "ok"} 2 - and neither names its folder')
    print('1..2')
    return 0 if same and not named else 1


sys.exit(main())
