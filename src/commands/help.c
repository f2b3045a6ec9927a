/* HELP: one line for the call and one for what it does, for each subcommand. */
#include "commands/help.h"

#include "engine/request.h"

#include <ctype.h>
#include <stdio.h>

static void upper(char *out, size_t size, const char *text)
{
    size_t i = 0;

    for (; text[i] && i + 1 < size; i++)
        out[i] = (char)toupper((unsigned char)text[i]);
    out[i] = '\0';
}

void cmd_help(struct request *req)
{
    const struct command *parent = req->command->parent, *sub;
    char name[64], line[256];
    size_t count = 0;

    for (sub = parent->subcommands; sub->name; sub++)
        count++;
    reply_array(req, 1 + 2 * count);
    upper(name, sizeof name, parent->name);
    snprintf(line, sizeof line, "%s <subcommand> [<arg> [value] [opt] ...]. Subcommands are:", name);
    reply_status(req, line);
    for (sub = parent->subcommands; sub->name; sub++) {
        upper(name, sizeof name, sub->name);
        snprintf(line, sizeof line, "%s%s%s", name, *sub->syntax ? " " : "", sub->syntax);
        reply_status(req, line);
        snprintf(line, sizeof line, "    %s", sub->summary);
        reply_status(req, line);
    }
}
