"""A package, put into an empty tree and taken out again: package.py FILE.deb

Everything that an installation has is in it, it names the libraries that the program needs, the program runs,
and nothing stays behind. Where dpkg may not install, it is only unpacked.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import install

NOT_FOR_DEBIAN = {'share/zsh/site-functions/_tcpwhy': 'share/zsh/vendor-completions/_tcpwhy'}


def output(*argv):
    return subprocess.run([str(a) for a in argv], capture_output=True, text=True, check=True).stdout


def files(tree):
    return {str(p.relative_to(tree)) for p in tree.rglob('*')
            if not p.is_dir() and not str(p.relative_to(tree)).startswith('var/')}


def main():
    package = sys.argv[1]
    wrong = [f'depends on no {library}' for library in ('libc6', 'libpcap', 'libmnl', 'libzstd')
             if library not in output('dpkg-deb', '-f', package, 'Depends')]
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder)
        dpkg = ['dpkg', '--root', tree, '--force-depends', '--force-not-root', '--force-bad-path', '--log=/dev/null']
        for name in 'status', 'available':
            (tree / 'var/lib/dpkg').mkdir(parents=True, exist_ok=True)
            (tree / 'var/lib/dpkg' / name).touch()
        if os.geteuid() == 0:
            output(*dpkg, '-i', package)
        else:
            output('dpkg-deb', '-x', package, tree)
        names = files(tree)
        for needed in install.NEEDED:
            needed = NOT_FOR_DEBIAN.get(needed, needed) + '.gz' * needed.startswith('man')
            wrong += [f'{needed} is missing'] * (not any(name.endswith('/' + needed) for name in names))
        wrong += [f'{name} is in it' for name in names if not name.startswith('usr/')]
        if not output(tree / 'usr/bin/tcpwhy', '--version').startswith('tcpwhy '):
            wrong.append('it does not run')
        if os.geteuid() == 0:
            output(*dpkg, '--purge', 'tcpwhy')
            wrong += [f'{name} stays' for name in files(tree)] + ['usr stays'] * (tree / 'usr').exists()
    print(*wrong, sep='\n')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
