"""What a stranger can make grow: bounds.py FLOOD TCPWHY CASES-FOLDER [TUPLES]. TAP.

Memory is what is measured, as the largest resident set: time depends on the machine. A program begins
with what its parent had, so nothing here holds a whole file. The flood is 200 000
connections unless TUPLES says more; by hand, with 20 000 000, also the cap of the flow table is met.
A program with sanitizers needs many times as much: then only what it says is checked.
"""

import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

CASE = 'close-wait-leaked-fd'
HEADER = struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)
MIB = 1 << 20
CAP = 1 << 23  # flows
results = []


def check(name, is_good, seen=''):
    results.append(bool(is_good))
    print(f'{"ok" if is_good else "not ok"} {len(results)} - {name}', flush=True)
    if not is_good:
        print('#', str(seen)[:1500].replace('\n', '\n# '))


def run(argv, stdin=None):
    """(status, standard output, standard error, MiB)"""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as said:
        with subprocess.Popen(argv, stdin=stdin or subprocess.DEVNULL, stdout=out, stderr=said) as p:
            _, status, used = os.wait4(p.pid, 0)
            p.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        said.seek(0)
        return p.returncode, out.read(), said.read().decode(errors='replace'), used.ru_maxrss / 1024


class Bounds:
    def __init__(self, tool, where):
        self.tool, self.where = tool, where
        self.is_sanitized = b'__asan_init' in tool.read_bytes()

    def fits(self, used, most):
        return self.is_sanitized or used <= most

    def pcap(self, name, pieces, most, *options):
        path = self.where / name
        with open(path, 'wb') as f:
            for piece in pieces:
                f.write(piece)
        status, out, said, used = run([self.tool, 'pcap', '--json', *options, path])
        path.unlink()
        check(f'{name}: {used:.0f} MiB', self.fits(used, most) and status in (0, 1) and 'Sanitizer' not in said,
              (status, used, said))
        return status, (json.loads(out) if out else None), said


def flood(b, tool, n):
    with subprocess.Popen([tool, str(n)], stdout=subprocess.PIPE) as p:
        status, out, said, used = run([b.tool, 'pcap', '--json-lines', '-', 'rule', 'unjudged'], p.stdout)
    last = json.loads(out.splitlines()[-1])
    most = 24 + min(n, CAP) * 160 / MIB
    check(f'flood of {n} connections: {used:.0f} MiB, at most {most:.0f}', b.fits(used, most), used)
    is_beyond = n > CAP
    check('and the cap is said where it is met', last['complete'] != is_beyond and status == is_beyond and
          [g['what'] for g in last['gaps']] == ['cap'] * is_beyond, (status, last, said))


def refusals(n):
    """SYNs to that many servers, each refused."""
    header = HEADER[:-4] + struct.pack('<I', 101)  # RAW: IP itself
    for i in range(n):
        client, server = bytes((10, 0, 0, 1)), (0xc0000000 + i).to_bytes(4, 'big')
        ports, back = (bytes((156, 64, 0, 80)), bytes((0, 80, 156, 64)))
        frames = b''
        for src, dst, port, seq, ack, flags in ((client, server, ports, 1, 0, 2), (server, client, back, 0, 2, 0x14)):
            frame = (bytes((0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0)) + src + dst + port +
                     struct.pack('>IIBBHI', seq, ack, 0x50, flags, 0, 0))
            frames += struct.pack('<IIII', 1700000000 + i // 1000, 0, 40, 40) + frame
        yield header + frames
        header = b''


def destinations(b, n):
    """There are as many findings as somebody can read, and they count everything."""
    status, report, said = b.pcap('refusals', refusals(n), 40 + n * 160 / MIB)
    found = report['findings'] if report else []
    check(f'{n} servers that refuse: 1000 findings and one of the others',
          status == 0 and report['complete'] and len(found) == 1001 and sum(f['count'] for f in found) == n and
          [f['count'] for f in found if f['subject']['peer'] is None] == [n - 1000], (status, len(found), said))


def packed(n_mib):
    """A gzip file of a header and that many MiB of packets of no bytes, piece by piece."""
    z = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS + 16)
    yield z.compress(HEADER)
    for _ in range(n_mib):
        yield z.compress(bytes(MIB))
    yield z.flush()


def bombs(b):
    status, seen, _ = b.pcap('bomb.pcap.gz', packed(64), 32)
    check('64 MiB of nothing in 64 KiB are counted', status == 0 and seen['captures'][0]['packets'] == 4 * MIB, seen)
    z = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS + 16)
    _, seen, said = b.pcap('bomb in a bomb.gz', [*map(z.compress, packed(64)), z.flush()], 32)
    check('and unpacked once', seen is None and 'not a capture file' in said, said)
    status, seen, said = b.pcap('cut.pcap.gz', [b''.join(packed(1))[:-8]], 32)
    check('without its end it is no whole file', status == 1 and seen['captures'][0]['cut'] and
          not seen['complete'], (seen, said))
    if shutil.which('zstd'):
        path = b.where / 'window.zst'
        with subprocess.Popen(['zstd', '-q', '-o', path, '--long=31'], stdin=subprocess.PIPE) as p:
            for _ in range(160):
                p.stdin.write(bytes(MIB))
        b.pcap('window.pcap.zst', [path.read_bytes()], 160)  # libzstd refuses windows above 128 MiB


def block(kind, body):
    body += b'\0' * (-len(body) % 4)
    return struct.pack('<II', kind, len(body) + 12) + body + struct.pack('<I', len(body) + 12)


def with_options(plain, option, n):
    size = len(plain) + len(option) * n + 12
    yield struct.pack('<II', 1, size) + plain
    for _ in range(n // 1024):
        yield option * 1024
    yield struct.pack('<I', size)


def pcapng_bombs(b):
    section = block(0x0a0d0d0a, struct.pack('<IHHq', 0x1a2b3c4d, 1, 0, -1))
    plain = struct.pack('<HHI', 1, 0, 65535)
    option = struct.pack('<HH', 9, 1) + b'\6\0\0\0'
    packet = block(6, struct.pack('<IIIII', 0, 0, 0, 14, 14) + bytes(14))
    status, seen, said = b.pcap('options.pcapng', [section, *with_options(plain, option, 2 * MIB - 1024), packet], 48)
    check('two million options of an interface', status == 0 and seen['captures'][0]['packets'] == 1, (seen, said))
    status, seen, said = b.pcap('interfaces.pcapng', [section, *[block(1, plain)] * 70000, packet], 32)
    check('more interfaces than any capture has are refused', status == 1 and 'more interfaces' in said, said)
    status, seen, said = b.pcap('block.pcapng', [section, struct.pack('<II', 6, 0xfffffffc), bytes(64)], 32)
    check('a block of four gigabytes is refused', status == 1 and 'larger than' in said, said)
    _, seen, said = b.pcap('sections.pcapng', [*[section] * 200000, packet], 32)
    check('200 000 sections, and a packet of an interface that none has', seen['captures'][0]['tcp_packets'] == 0,
          said)


def processes(b, cases, n):
    """Recorded, because nobody wants to start them: each with descriptors of sockets that are listed."""
    look = b.where / 'look'
    shutil.copytree(cases / CASE / 'look', look, symlinks=True)
    link = os.readlink(next((look / 'proc/4/fd').iterdir()))
    for pid in range(1000, 1000 + n):
        folder = look / f'proc/{pid}'
        (folder / 'fd').mkdir(parents=True)
        (folder / 'fd/3').symlink_to(link)
        (folder / 'stat').write_bytes(b'%d (%s) S 1 ' % (pid, b'x' * 4096) + b'0 ' * 17 + b'0\n')
        (folder / 'cmdline').write_bytes(b'y' * 5000)
    for command in (['why', '--json'], ['list', '-a', '--json'], ['check', '--json', '-t', '60'], ['list', '--by', 'owner']):
        status, out, said, used = run([b.tool, *command, '--from', look])
        most = 48 + n * 24 / 1024  # KiB a process: its name and command line, and what the report shows of them
        check(f'{" ".join(command)} of {n} processes with long names: {used:.0f} MiB, at most {most:.0f}',
              status in (0, 1, 2, 3) and b.fits(used, most) and (b'"complete":true' in out or '--by' in command),
              (status, used, said[-300:]))
    shutil.rmtree(look)


def main():
    flood_tool, tool, cases = (pathlib.Path(word).resolve() for word in sys.argv[1:4])
    with tempfile.TemporaryDirectory() as tmp:
        b = Bounds(tool, pathlib.Path(tmp))
        flood(b, flood_tool, int(sys.argv[4]) if len(sys.argv) > 4 else 200_000)
        bombs(b)
        pcapng_bombs(b)
        processes(b, cases, int(sys.argv[5]) if len(sys.argv) > 5 else 2000)
        destinations(b, 20_000)  # last: its report makes this program large
    print(f'1..{len(results)}')
    return 0 if all(results) else 1


sys.exit(main())
