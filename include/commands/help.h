/* HELP of a command with subcommands, made from their rows. */
#ifndef TERN_COMMANDS_HELP_H
#define TERN_COMMANDS_HELP_H

struct request;

/* The handler of every HELP subcommand. */
void cmd_help(struct request *req);

#endif
