/* Functions: libraries of Lua that live in the server (FUNCTION LOAD) and are run by name (FCALL).
 *
 *     functions_new(engine);                                              engine->functions
 *     library = functions_load(functions, code, replaces, error);         all or nothing
 *     function = libraries_find_function(functions_libraries(functions), name);
 *     functions_call(functions, function, &call);                         for script_run
 *
 * Errors are texts for users with their code in front. */
#ifndef TERN_SCRIPT_FUNCTIONS_H
#define TERN_SCRIPT_FUNCTIONS_H

#include "base/text.h"
#include "script/function_library.h"
#include "script/script.h"

struct engine;
struct functions;
struct rdb_writer;

struct functions *functions_new(struct engine *engine); /* sets engine->functions */
/* Before the host of scripts goes. */
void functions_free(struct functions *functions);

const struct libraries *functions_libraries(const struct functions *functions);
size_t functions_memory(const struct functions *functions);    /* of libraries, without the interpreter */
size_t functions_vm_memory(const struct functions *functions); /* of the interpreter */

/* The body of a library may run so long when a client loads it. */
#define FUNCTIONS_LOAD_LIMIT_MS 500

/* Compiles the library and runs its body, which registers functions; then the library is there. With 'replaces' it
 * takes the place of one of its name. On failure all is as before: NULL, and '*error' has the text. 'limit_ms' 0: the
 * body may run as long as it likes (what was loaded once and comes from a file). */
const struct library *functions_load(struct functions *functions, struct bytes code, bool replaces, int64_t limit_ms,
                                     struct text *error);
/* False when there is none of that name. */
bool functions_delete(struct functions *functions, struct bytes name);
void functions_flush(struct functions *functions, bool is_async);

/* The content of FUNCTION DUMP, without its footer: what an RDB file has of functions, too. */
void functions_dump(const struct functions *functions, struct rdb_writer *writer);
/* The same of one library's code. */
void functions_dump_library(struct rdb_writer *writer, struct bytes code);

enum functions_policy { FUNCTIONS_APPEND, FUNCTIONS_REPLACE, FUNCTIONS_FLUSH };

/* Loads all libraries of such a content, or none: then false, and '*error' has the text. */
bool functions_restore(struct functions *functions, struct bytes content, enum functions_policy policy,
                       int64_t limit_ms, struct text *error);

/* Fills in what 'call' needs to run the function. */
void functions_call(const struct functions *functions, const struct library_function *function,
                    struct script_call *call);

#endif
