/* The register of function libraries: who has which functions. It knows names, texts and flags; what runs them is a
 * number to it (a pin of lua/lua.h), which it hands back when a library goes.
 *
 *     library = library_new(name, code);
 *     library_add(library, &(struct library_function){.name = ...});
 *     if (!libraries_clash(libraries, library, replaced))
 *         libraries_link(libraries, library);
 *
 * Libraries are known by their name as it is written. Functions are found whatever the case of their letters, and are
 * unique so among all libraries. Within one library names may differ by case alone; then the first is found. */
#ifndef TERN_SCRIPT_FUNCTION_LIBRARY_H
#define TERN_SCRIPT_FUNCTION_LIBRARY_H

#include "ds/map.h"

#include <stdbool.h>

struct library_function {
    struct bytes name;
    struct bytes description; /* without data: none */
    unsigned flags;           /* SCRIPT_* */
    int pin;
    struct library *library;
    struct library_function *next; /* in the order in which they were added */
};

struct library {
    struct bytes name, code;
    struct library_function *first, **last;
    size_t count;
    struct library *previous, *next; /* in the order in which they were linked */
};

/* Copies what it is given. */
struct library *library_new(struct bytes name, struct bytes code);
/* Only one that is not linked. */
void library_free(struct library *library);
/* Copies name and description; 'library' and 'next' are set here. NULL: the library has one of that name, letter by letter. */
struct library_function *library_add(struct library *library, const struct library_function *function);
/* Letters, digits and underscores, at least one. */
bool library_name_is_good(struct bytes name);

struct libraries {
    struct map by_name;       /* struct library */
    struct map by_function;   /* struct library_function, under the name in lower case */
    struct library *first, *last;
    size_t function_count;    /* of all libraries */
    size_t bytes;             /* of libraries and functions, without the maps */
};

struct libraries *libraries_new(void);
/* With all its libraries. */
void libraries_free(struct libraries *libraries);

static inline size_t libraries_count(const struct libraries *libraries) { return map_size(&libraries->by_name); }
struct library *libraries_find(const struct libraries *libraries, struct bytes name);             /* or NULL */
struct library_function *libraries_find_function(const struct libraries *libraries, struct bytes name); /* or NULL */

/* The first function of 'library' whose name a library of the register has. 'replaced' (may be NULL) does not count. */
const struct library_function *libraries_clash(const struct libraries *libraries, const struct library *library,
                                               const struct library *replaced);
/* Takes the library: its name is new, and nothing clashes. */
void libraries_link(struct libraries *libraries, struct library *library);
/* Gives it back. */
void libraries_unlink(struct libraries *libraries, struct library *library);

size_t libraries_memory(const struct libraries *libraries);

/* Walks all invariants. */
void libraries_check(const struct libraries *libraries);

#endif
