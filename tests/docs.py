#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation shows is what the program does, and what it points to is there.

    docs.py [-v] [--binary FILE]

Of all pages: relative links and names of files of this tree lead somewhere, no placeholder was left; README has every
finding; manuals are without a warning (mandoc), and name every option that --help does.
Of docs/rules.md, docs/from-suricata.md and the head of sensor.rules:
Rules in blocks and options in tables have to load; what `$ stripwire rules check` prints has to be what it prints for
the rules it shows; the block of threshold.config has to load; words that are said to be keywords, buffers or skipped
have to be; every keyword and buffer of the program has to be named.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
COMMANDS = 'read run doctor status alerts incidents show certs servers history feed backup'.split()
CHAPTERS = 'docs/rules.md', 'docs/from-suricata.md'
VARIABLES = 'variables:\n  MAIL_SERVERS: 192.0.2.25\n  SCANNERS: 192.0.2.9\n  LAB: 198.51.100.0/24\n'
# options that are only right behind others, and what has to stand before them
BEFORE = {'nocase': 'content:"a"; ', 'offset': 'content:"a"; ', 'depth': 'content:"a"; ', 'distance': 'content:"a"; content:"b"; ',
          'within': 'content:"a"; content:"b"; ', 'startswith': 'content:"a"; ', 'endswith': 'content:"a"; ',
          'isdataat': 'content:"a"; ', 'fast_pattern': 'content:"a"; ', 'bsize': ''}
AFTER = {'to_lowercase', 'to_uppercase', 'strip_whitespace', 'dotprefix'}
FINDING = {'finding', 'confidence', 'evidence'}


class Check:
    def __init__(self, args, tmp):
        self.args, self.tmp, self.passed, self.failed = args, tmp, 0, 0
        self.conf = self.put('conf', VARIABLES)

    def put(self, name, text):
        path = os.path.join(self.tmp, name)
        with open(path, 'w') as f:
            f.write(text)
        return path

    def result(self, ok, what, why=''):
        self.passed, self.failed = self.passed + ok, self.failed + (not ok)
        if not ok or self.args.verbose:
            print('ok  ' if ok else 'FAIL', what, '' if ok else why)

    def rules(self, text, *more):
        """(loads, what is said)"""
        p = subprocess.run([self.args.binary, 'rules', 'check', '-c', self.conf, *more, self.put('r.rules', text)],
                           capture_output=True, text=True)
        return p.returncode == 0 and ' skipped' in p.stdout and ', 0 skipped' in p.stdout, p.stdout + p.stderr


def blocks(text):
    return re.findall(r'^```\n(.*?)^```$', text, re.S | re.M)


def shown_rules(check, where, text):
    """Whole rules in blocks that are not the output of a command."""
    for block in blocks(text):
        if block.startswith('$ ') or '( options )' in block:
            continue
        for rule in re.findall(r'^(?:alert|pass|log)\b(?:.*\\\n)*.*$', block, re.M):
            ok, said = check.rules(rule + '\n')
            check.result(ok, f'{where}: {rule[:60]}', said)
        if re.match(r'\S+; ', block):  # options by themselves
            ok, said = check.rules(f'alert smtp any any -> any any ({block.strip()} sid:1;)\n')
            check.result(ok, f'{where}: {block[:60].strip()}', said)


def shown_commands(check, where, text):
    """`$ stripwire rules check FILE` and what it prints: every line is there in what it prints for the rules shown."""
    for block in blocks(text):
        m = re.match(r'\$ stripwire rules check (\S+)\n', block)
        if not m:
            continue
        lines = block.splitlines()[1:]
        rules = [line.strip() for line in lines if re.match(r'    (alert|pass|log|drop)\b', line)]
        at = {int(x[1]): r for x, r in zip(re.finditer(r'(?m)^\S+:(\d+):\d+: ', block), rules)}
        text = ''.join(at.get(n, 'alert smtp any any -> any any (finding:rst-injected; sid:%d;)' % (900 + n)) + '\n'
                       for n in range(1, 1 + int((re.search(r'(\d+) rules', block) or [0, 0])[1] or 0) + len(rules)))
        if not re.search(r'\d+ rules?,', block):
            text = ''.join(at[n] + '\n' for n in sorted(at))
        said = check.rules(text)[1].replace(os.path.join(check.tmp, 'r.rules'), m[1])
        missing = [line for line in lines if re.sub(r'hyperscan [\d. -]+', '', line) not in re.sub(r'hyperscan [\d. -]+', '', said)]
        check.result(not missing, f'{where}: output of rules check', f'{missing} is not in\n{said}')


def options_of(text):
    """Options in the first column of the tables of a chapter."""
    for row in re.findall(r'^\| (`.*?`) *(?:or .*?)?\|', text.replace('\\|', '\0'), re.M):
        for code in re.findall(r'`([^`]+;)`', row.replace('\0', '|')):
            yield code


def shown_options(check, where, text):
    for code in options_of(text):
        for option in re.findall(r'(?:[^;"\\]|\\.|"(?:[^"\\]|\\.)*")+;', code):
            option = option.strip().replace(':N', ':3')
            name = re.match(r'[\w.]+', option)[0]
            if name in FINDING:
                rest = option
            elif name in AFTER:
                rest = f'smtp.helo; {option} content:"A";'.replace('"A"', '"a"' if name == 'to_lowercase' else '"A"')
            elif name in BEFORE:
                rest = f'smtp.command; {BEFORE[name]}{option}' + (' content:"a";' if name == 'bsize' else '')
            elif name in ('sid', 'content', 'pcre'):
                rest = f'smtp.command; {option}' if name != 'sid' else 'finding:rst-injected;'
            else:
                rest = f'smtp.command; content:"a"; {option}'
            ok, said = check.rules(f'alert smtp any any -> any any ({rest} {option if name == "sid" else "sid:1;"})\n')
            check.result(ok, f'{where}: {option}', said)


def thresholds(check, where, text):
    for block in blocks(text):
        if not block.startswith('suppress '):
            continue
        ok, said = check.rules('alert smtp any any -> any any (finding:rst-injected; sid:1;)\n', '--thresholds',
                               check.put('t', block))
        check.result(ok, f'{where}: threshold.config', said)


def all_are_named(check, text):
    """Each keyword and each buffer of the program stands in a chapter."""
    code = open(os.path.join(TOP, 'rules', 'rule_option.c')).read()
    names = re.findall(r'^    \{"([\w.]+)", VALUE_', code, re.M)
    names += re.findall(r'\[BUF_\w+\] = \{"([\w.]+)"', open(os.path.join(TOP, 'rules', 'rule_buffer.c')).read())
    missing = [n for n in names if not re.search(rf'(?<![\w.]){re.escape(n)}(?![\w.])', text)]
    check.result(len(names) > 70 and not missing, 'keywords and buffers are all explained', missing)


def table_of_suricata(check, text):
    """What is said to be skipped is, and what is said to be the same is known."""
    for word in re.findall(r'\(([\w., ]+ \.\.\.)\) is left out', text.replace('\n', ' ')):
        for name in word.replace(' ...', '').split(', '):
            said = check.rules(f'alert smtp any any -> any any (content:"a"; {name}:1; sid:1;)\n')[1]
            check.result(f"skipped: keyword '{name}'" in said, f'from-suricata: {name} is skipped', said)
    row = re.search(r'^\| (.*?) \| skipped;', text, re.M)
    for name in re.findall(r'`([\w.]+)`', row[1] if row else ''):
        said = check.rules(f'alert tls any any -> any any (content:"a"; {name}:1; sid:1;)\n')[1]
        check.result(f"skipped: keyword '{name}'" in said, f'from-suricata: {name} is skipped', said)


def head_of_policy(check):
    """The lines that the guide in sensor.rules shows."""
    head = open(os.path.join(TOP, 'sensor.rules')).read().split('# A. ')[0]
    lines = [line[1:].strip() for line in head.splitlines()]
    rules = [line for line in lines if re.match(r'(pass|alert) .*sid:\d+;\)$', line)]
    limits = [line for line in lines if re.match(r'(suppress|severity|threshold) gen_id', line)]
    for rule in rules:
        ok, said = check.rules(rule.replace('finding:NAME', 'finding:rst-injected') + '\n')
        check.result(ok, f'sensor.rules: {rule[:60]}', said)
    ok, said = check.rules('alert smtp any any -> any any (finding:rst-injected; sid:1;)\n', '--thresholds',
                           check.put('t', '\n'.join(limits) + '\n'))
    check.result(len(rules) == 2 and len(limits) >= 4 and ok, 'sensor.rules: lines of threshold.config', said)


def pages():
    """Names and texts of all pages."""
    for folder, folders, names in os.walk(TOP):
        folders[:] = [f for f in folders if f != 'build' and not f.startswith('.')]
        for name in names:
            if re.search(r'\.(md|1|5)$', name):
                path = os.path.join(folder, name)
                yield os.path.relpath(path, TOP), open(path).read()


def what_is_named(check, where, text):
    folder = os.path.join(TOP, os.path.dirname(where))
    for link in re.findall(r'\]\(([^)#:]+)(?:#[^)]*)?\)', text):
        check.result(os.path.exists(os.path.join(folder, link)), f'{where}: link to {link}')
    for name in re.findall(r'(?<![\w./])(?:docs|tests|packaging|pcaps)/[\w./-]*\w(?![\w*-])', text):
        there = [os.path.exists(os.path.join(TOP, name + end)) for end in ('', '.c')]
        check.result(any(there) or 'NAME' in name or name.endswith('-'), f'{where}: {name} is there')
    left = re.findall(r'@[A-Z][A-Z_]*@|\b(?:TODO|FIXME|TBD)\b', text)
    check.result(not left, f'{where}: no placeholder', left)


def findings_are_named(check):
    """README's table has each finding; `cert-weak-key, -expired` are two."""
    code = open(os.path.join(TOP, 'rules', 'finding.c')).read()
    names = set(re.findall(r'\[FIND_[A-Z0-9_]+\] = \{\s*"([a-z0-9-]+)"', code)) - {'content'}
    text = re.search(r'(?s)\n## What is found\n(.*?)\n## ', open(os.path.join(TOP, 'README.md')).read())[1]
    told = set()
    for row in re.findall(r'(?m)^\| ([a-z][a-z0-9, -]+) \|', text):
        first = row.split('-')[0]
        told |= {first + word if word.startswith('-') else word for word in row.split(', ')}
    check.result(len(names) > 40 and told - {'finding'} == names, 'README: every finding', names ^ told)


def manuals(check):
    if shutil.which('mandoc') is None:
        print('SKIP manuals: no mandoc')
        return
    pages = [os.path.join(TOP, 'docs', name) for name in ('stripwire.1', 'stripwire.conf.5')]
    said = subprocess.run(['mandoc', '-T', 'lint', '-W', 'warning', *pages], capture_output=True, text=True).stdout
    check.result(not said, 'manuals: mandoc -T lint', said)
    shown = subprocess.run(['mandoc', '-T', 'ascii', *pages], capture_output=True, text=True).stdout
    check.result(shown and not re.search(r'\.(It|Cm|Fl|Ar|Pp)\s', shown), 'manuals: no macro is printed')


def options_in_manual(check):
    text = open(os.path.join(TOP, 'docs', 'stripwire.1')).read()
    for command in COMMANDS:
        said = subprocess.run([check.args.binary, command, '--help'], capture_output=True, text=True).stdout
        options = set(re.findall(r'^ .*?--([a-z][a-z-]+)', said, re.M)) - {'help'}
        missing = [o for o in sorted(options) if not re.search(rf'Fl (?:\w , )?-{o}\b', text)]
        check.result(said and not missing, f'stripwire.1: options of {command}', missing)


def main():
    p = argparse.ArgumentParser()
    p.add_argument('-v', '--verbose', action='store_true')
    p.add_argument('--binary', default=os.path.join(TOP, 'stripwire'))
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        check, whole = Check(args, tmp), ''
        for name in CHAPTERS:
            text = open(os.path.join(TOP, name)).read()
            whole += text
            for look in shown_rules, shown_commands, shown_options, thresholds:
                look(check, name, text)
        all_are_named(check, whole)
        table_of_suricata(check, whole)
        head_of_policy(check)
        for name, page in pages():
            what_is_named(check, name, page)
        findings_are_named(check)
        manuals(check)
        options_in_manual(check)
    print(f'{check.passed} passed, {check.failed} failed')
    return check.failed != 0


if __name__ == '__main__':
    sys.exit(main())
