/* What the files of functions share. */
#ifndef TERN_SCRIPT_FUNCTIONS_INTERNAL_H
#define TERN_SCRIPT_FUNCTIONS_INTERNAL_H

#include "script/functions.h"

/* What library_name_is_good refuses, be it the name of a library or of a function. */
#define BAD_NAME \
    "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long"

/* What the first line of a library says. */
struct function_header {
    struct text name;
    struct bytes body; /* from the end of that line on, so that numbers of lines stay */
};
/* False: '*error' has the text. The header is to be released in any case. */
bool function_header_parse(struct bytes code, struct function_header *header, struct text *error);
void function_header_release(struct function_header *header);

/* The interpreter of functions. Every library's globals are one empty table, whose lookups go on in 'loading' while a
 * library is loaded and in the interpreter's own globals when a function runs. */
struct function_machine {
    struct script_machine *machine; /* NULL: none is needed yet */
    struct lua_table *environment, *meta;
    struct lua_value loading;
    struct library *library; /* that is being loaded, or NULL */
};

void function_machine_open(struct function_machine *of, struct scripts *scripts);
/* Runs the body, which registers functions in 'library'. */
bool function_machine_load(struct function_machine *of, struct library *library, struct bytes body, int64_t limit_ms,
                           struct text *error);
/* The library's functions are garbage from now on. */
void function_machine_forget(struct function_machine *of, const struct library *library);

#endif
