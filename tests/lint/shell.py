"""Every shell script parses; shellcheck agrees, where it is installed."""

import re
import shutil
import subprocess

import house


def shell_of(path):
    """The shell that runs a file; None for everything else."""
    with open(path, encoding='utf-8', errors='replace') as f:
        match = re.match(r'#!.*\b(bash|dash|sh)\b', f.readline())
    if match:
        return 'bash' if match[1] == 'bash' else 'sh'
    return {'.sh': 'sh', '.bash': 'bash'}.get(path.suffix)


def complaint(*command):
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return (done.stdout + done.stderr).strip() if done.returncode else None


def check(root):
    has_shellcheck = shutil.which('shellcheck')
    for path in house.files(root):
        shell = shell_of(path)
        if not shell or not shutil.which(shell):
            continue
        said = complaint(shell, '-n', str(path))
        if not said and has_shellcheck:
            said = complaint('shellcheck', '-S', 'warning', '-f', 'gcc', '-s', shell, str(path))
        if said:
            yield path, 1, said


BAD = [
    ({'bootstrap': '#!/bin/sh\nif true; then\n'}, 'bootstrap'),
    ({'tests/a.sh': 'case x in\n'}, 'a.sh'),
    ({'completions/tcpwhy.bash': 'f() {\n'}, 'tcpwhy.bash'),
]
if shutil.which('shellcheck'):
    BAD.append(({'a.sh': '#!/bin/sh\ncd /nowhere\nrm -r "$x"/*\n'}, 'SC2164'))
GOOD = [{'bootstrap': '#!/bin/sh\nif true; then echo yes; fi\n', 'a.py': 'if (\n'}]

if __name__ == '__main__':
    house.main(check, BAD, GOOD)
