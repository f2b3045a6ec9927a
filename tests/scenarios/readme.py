"""README lists every command that the server has, and no other."""

from _harness import *

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'README.md')


def words_of_the_table():
    with open(README, encoding='utf-8') as file:
        text = file.read()
    table = text[text.index('| group | commands |'):].split('\n\n')[0]
    return {word.lower() for row in table.splitlines()[2:] for word in re.findall(r'\b[A-Z][A-Z_-]+\b', row.split('|', 2)[2])}


@test('--enable-debug-command', 'yes')
def every_command_is_listed(server):
    names = [name.decode() for name in server.client()('COMMAND', 'LIST')]
    commands = {name for name in names if '|' not in name}
    subcommands = {name.split('|')[1] for name in names if '|' in name}
    debug = {str(line).split()[0].lower() for line in server.client()('DEBUG', 'HELP')[1::2]}
    listed = words_of_the_table()
    expect(sorted(commands - listed), [], 'not in README')
    expect(sorted(listed - commands - subcommands - debug), [], 'only in README')


main()
