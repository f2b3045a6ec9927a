/* COMMAND DOCS. */
#ifndef TERN_COMMANDS_COMMAND_DOCS_INTERNAL_H
#define TERN_COMMANDS_COMMAND_DOCS_INTERNAL_H

#include "engine/request.h"

/* --- command_syntax.c: a row's 'syntax' as a tree of arguments -------------------------------------------- */

enum argument_kind { ARGUMENT_VALUE, ARGUMENT_TOKEN, ARGUMENT_ONE_OF, ARGUMENT_BLOCK };

#define ARGUMENT_OPTIONAL       (1u << 0)
#define ARGUMENT_MULTIPLE       (1u << 1)
#define ARGUMENT_MULTIPLE_TOKEN (1u << 2) /* the token comes with each */

struct argument {
    enum argument_kind kind;
    unsigned flags;
    struct bytes name;  /* of a value */
    struct bytes token; /* in capitals; empty: none */
    const char *start;  /* in the syntax */
    struct argument *first, *next;
};

struct syntax {
    struct argument *first;
    struct argument *nodes; /* all of them */
    size_t count, size;
};

void syntax_parse(struct syntax *syntax, const char *text);
void syntax_release(struct syntax *syntax);

/* --- command_docs.c ------------------------------------------------------------------------------------------ */

/* The command's name and a map of what is known of it, with its subcommands. */
void reply_command_docs(struct request *req, const struct command_entry *entry);

#endif
