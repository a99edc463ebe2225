"""What an installation puts where, below DESTDIR: install.py BUILD-FOLDER."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

NEEDED = ['bin/tcpwhy', 'bin/check_tcpwhy', 'man8/tcpwhy.8', 'man8/tcpwhy-check.8', 'man8/tcpwhy-list.8', 'man8/tcpwhy-pcap.8', 'man7/tcpwhy-filter.7',
          'man7/tcpwhy-rules.7', 'man5/tcpwhy-json.5', 'share/tcpwhy/schema/why.json',
          'share/bash-completion/completions/tcpwhy', 'share/zsh/site-functions/_tcpwhy',
          'share/fish/vendor_completions.d/tcpwhy.fish']


def main():
    build = pathlib.Path(sys.argv[1])
    options = json.loads((build / 'meson-info/intro-buildoptions.json').read_text())
    prefix = next(o['value'] for o in options if o['name'] == 'prefix')
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(['meson', 'install', '-C', build, '--no-rebuild', '--quiet'], capture_output=True,
                              text=True, check=False, env={**os.environ, 'DESTDIR': folder})
        found = [p for p in pathlib.Path(folder).rglob('*') if not p.is_dir()]
        names = [str(p) for p in found]
        wrong = [f'{n} is missing' for n in NEEDED if not any(name.endswith('/' + n) for name in names)]
        wrong += [f'{name} is not below {prefix}' for name in names if not name.startswith(folder + prefix + '/')]
        wrong += [f'{p} is for its owner only' for p in found if not p.is_symlink() and p.stat().st_mode & 0o044 != 0o044]
        for p in found:
            if p.name == 'check_tcpwhy' and p.parent.name == 'bin':
                status = subprocess.run([p, '--help'], capture_output=True, check=False).returncode
                wrong += ['check_tcpwhy is no check'] * (status != 3)
    print(done.stdout + done.stderr, *wrong, sep='\n')
    return 1 if wrong or done.returncode else 0


if __name__ == '__main__':
    sys.exit(main())
