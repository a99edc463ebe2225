"""Who may include whom: util <- model <- stages <- cli. Stages meet only in model/."""

import re

import house

STAGES = {'live', 'wire', 'filter', 'join', 'rules', 'report', 'explain',
          'lab', 'check', 'watch'}
FLOORS = {'util': {'util'}, 'model': {'util', 'model'}}
FLOORS.update({stage: {'util', 'model', stage} for stage in STAGES})
FLOORS['cli'] = {'util', 'model', 'cli'} | STAGES

# A library with one door: the prefix of its headers, and the only file that may open it; and the one
# that stands for it in static builds.
DOORS = {'libmnl/': ('src/live/diag.c', 'src/live/mnl_static.c'), 'pcap': ('src/wire/capture.c',),
         'ncurses': ('src/cli/screen.c',)}

# rules/, check/ and watch/ open no file, ask no clock, print nothing.
PURE = {'rules', 'check', 'watch'}
IMPURE = {'stdio.h', 'unistd.h', 'fcntl.h', 'time.h', 'sys/time.h', 'sys/stat.h', 'sys/socket.h',
          'sys/ioctl.h', 'dirent.h', 'poll.h', 'syslog.h', 'err.h', 'util/cleanup.h'}

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')


def judge(path, floor, quote, header):
    for door, only in DOORS.items():
        if header.startswith(door) and path not in only:
            return f'<{header}> belongs to {only[0]} alone'
    if floor in PURE and header in IMPURE:
        return f'{floor}/ must not include {header}: it reads and prints nothing'
    if quote == '<':
        return None
    if '/' not in header or header.startswith('.'):
        return f'"{header}": paths are written from src/'
    if floor in FLOORS and header.split('/')[0] not in FLOORS[floor]:
        return f'{floor}/ must not include {header}'
    return None


def check(root):
    for path in house.files(root, 'src', suffixes={'.c', '.h', '.def'}):
        name = house.inside(root, path)
        floor = name.split('/')[1]
        if '/' in name[4:] and floor not in FLOORS:
            yield path, 1, f'{floor}/ is no folder of the house; add it to the law'
        for number, line in house.lines(path):
            match = INCLUDE.match(line)
            message = match and judge(name, floor, *match.groups())
            if message:
                yield path, number, message


BAD = [
    ({'src/wire/tcp.c': '#include "live/live.h"\n'}, 'wire/ must not include live/live.h'),
    ({'src/model/a.h': '#include "rules/rule.h"\n'}, 'model/ must not include'),
    ({'src/util/a.c': '#include "model/addr.h"\n'}, 'util/ must not include'),
    ({'src/lab/a.c': '#include "cli/options.h"\n'}, 'lab/ must not include'),
    ({'src/live/sysctl.c': '#include <libmnl/libmnl.h>\n'}, 'belongs to src/live/diag.c'),
    ({'src/wire/link.c': '#include <pcap/pcap.h>\n'}, 'belongs to src/wire/capture.c'),
    ({'src/cli/main.c': '#include <pcap.h>\n'}, 'belongs to src/wire/capture.c'),
    ({'src/cli/watch.c': '#include <ncurses.h>\n'}, 'belongs to src/cli/screen.c'),
    ({'src/rules/reset.c': '#include <stdio.h>\n'}, 'reads and prints nothing'),
    ({'src/check/check.c': '#include <stdio.h>\n'}, 'check/ must not include stdio.h'),
    ({'src/rules/reset.c': '# include <time.h>\n'}, 'reads and prints nothing'),
    ({'src/join/conn.c': '#include "conn.h"\n'}, 'written from src/'),
    ({'src/join/conn.c': '#include "../live/live.h"\n'}, 'written from src/'),
    ({'src/common/a.c': '\n'}, 'no folder of the house'),
]
GOOD = [{
    'src/cli/main.c': '#include "live/live.h"\n#include "wire/capture.h"\n#include <stdio.h>\n',
    'src/live/diag.c': '#include "live/live.h"\n#include "model/look.h"\n#include <libmnl/libmnl.h>\n',
    'src/wire/capture.c': '#include <pcap.h>\n#include "util/buf.h"\n',
}]

if __name__ == '__main__':
    house.main(check, BAD, GOOD)
