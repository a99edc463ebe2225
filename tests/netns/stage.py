"""What every live test of this folder begins and ends with: a network namespace of its own, and TAP."""

import json
import os
import subprocess
import sys

INSIDE = 'TCPWHY_TEST_NETNS'
NOBODY = 65534
AS_NOBODY = {'user': NOBODY, 'group': NOBODY, 'extra_groups': []}

results = []


def check(name, is_good, seen=None):
    """One point; what was seen is shown where it is not good."""
    results.append(bool(is_good))
    print(f'{"ok" if is_good else "not ok"} {len(results)} - {name}', flush=True)
    if is_good or seen is None:
        return
    for line in (seen if isinstance(seen, str) else json.dumps(seen, indent=1, default=str)).splitlines()[:150]:
        print('#', line)


def end():
    """The plan, and the exit status."""
    print(f'1..{len(results)}')
    return 0 if all(results) else 1


def unshare_command():
    return ['unshare', '-n'] if os.geteuid() == 0 else ['unshare', '-rn']


def can_unshare():
    return subprocess.run([*unshare_command(), 'true'], stderr=subprocess.DEVNULL,
                          check=False).returncode == 0


def unshare():
    """The command that makes a namespace for what follows it. Ends the test where none may be made."""
    if not can_unshare():
        print('1..0 # SKIP no network namespace may be made here')
        sys.exit(0)
    return unshare_command()


def enter():
    """Goes on in a namespace of its own, with a loopback device; it dies with the script."""
    if INSIDE not in os.environ:
        os.environ[INSIDE] = '1'
        os.execvp('unshare', [*unshare(), sys.executable, '-B', *sys.argv])
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
