#!/usr/bin/env python3
"""The examples in Python of README.md's part for test suites are run as they stand there, one after the other."""

from _users import *

try:
    import redis  # noqa: F401
except ImportError:
    skip_all('there is no redis-py here')

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'README.md')


def examples():
    """The indented blocks of that part."""
    with open(README) as file:
        part = re.search(r'^## For test suites\n(.*?)^## ', file.read(), re.M | re.S).group(1)
    blocks, block = [], []
    for line in part.splitlines() + ['end']:
        if line.startswith('    ') or (block and not line.strip()):
            block.append(line[4:])
        elif block:
            blocks.append('\n'.join(block))
            block = []
    return blocks


@test(own=True)
def the_examples_of_the_readme_do_what_they_say(directory):
    os.makedirs(directory)
    os.symlink(os.path.abspath(PROGRAM), os.path.join(directory, 'tern-server'))
    end = '\nprocess.terminate()\nassert process.wait() == 0\nprint("the end")\n'
    path = os.path.join(directory, 'examples.py')
    with open(path, 'w') as file:
        file.write('\n'.join(examples()) + end)
    output = run(sys.executable, path, env={'PATH': directory + ':' + os.environ['PATH'], 'TMPDIR': SOCKETS})
    expect_true(output.rstrip().endswith(b'the end'), shown(output, 2000))


@test(own=True)
def there_are_examples(_):
    text = '\n'.join(examples())
    for word in ('--port-file', '--exit-with-parent', 'ADVANCE', 'FREEZE', 'THAW'):
        expect_true(word in text, f'{word} is in no example')


main()
