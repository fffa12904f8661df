#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A flood of SYNs around one long IMAP IDLE session: the session is seen to its
end, and memory does not grow with the flood.

    flood.py [NUMBER]
"""
import json
import subprocess
import sys

PEAK_KIB = 80 << 10  # a quarter of the table's 262,144 places, and what it takes to start


def main():
    number = sys.argv[1] if len(sys.argv) > 1 else '300000'
    flood = subprocess.Popen(['build/release/tools/synflood', number], stdout=subprocess.PIPE)
    out = subprocess.run(['./stripwire', 'read', '--no-db', '--no-system-trust', '--json', '-'], stdin=flood.stdout,
                         capture_output=True, text=True)
    flood.stdout.close()
    if flood.wait() != 0 or out.returncode != 0:
        sys.exit(f'flood {flood.returncode}, stripwire {out.returncode}\n{out.stderr}')
    got = json.loads(out.stdout)
    seen, ends = got['observations'], got['connections_ended']
    checks = {
        'both logins were seen': seen.get('auth') == 2,
        'the end was seen': ends['fin'] == 1 and seen.get('quit') == 1 and seen.get('flow-end') == 1,
        'every SYN was taken in': got['flows']['all'] == int(number) + 1,
        f'peak memory is below {PEAK_KIB} KiB': got['peak_kib'] < PEAK_KIB,
    }
    print(f'{number} SYNs: {got["seconds"]:.1f} s, peak {got["peak_kib"]} KiB, {got["flows_evicted"]} evicted')
    for what, ok in checks.items():
        if not ok:
            print('FAIL', what)
    passed = sum(checks.values())
    print(f'{passed} passed, {len(checks) - passed} failed')
    return passed < len(checks)


if __name__ == '__main__':
    sys.exit(main())
