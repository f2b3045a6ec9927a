/* Scripts that EVAL and SCRIPT LOAD have compiled: found by their text and by its SHA-1 sum.
 *
 * Those that only EVAL has seen give way to newer ones beyond EVAL_SCRIPTS_MAX, the least recently used first. What
 * SCRIPT LOAD has loaded stays until SCRIPT FLUSH. */
#ifndef TERN_SCRIPT_SCRIPT_CACHE_H
#define TERN_SCRIPT_SCRIPT_CACHE_H

#include "script/script.h"

#define EVAL_SCRIPTS_MAX 500
#define SCRIPT_SUM_LEN   40

struct cached_script {
    char sum[SCRIPT_SUM_LEN + 1];
    unsigned flags; /* SCRIPT_* */
    int pin;        /* the function */
    bool is_loaded; /* by SCRIPT LOAD */
    struct map_node *by_source, *by_sum;
    struct cached_script *newer, *older; /* of those that EVAL brought */
};

struct script_cache *script_cache_new(struct scripts *scripts);
void script_cache_free(struct script_cache *cache);

/* Finds the script or compiles it; replies the error when it is none. */
struct cached_script *script_cache_take_or_reply(struct request *req, struct bytes source, bool is_load);
/* NULL when it is not there. The case of the sum does not matter. */
struct cached_script *script_cache_find(const struct script_cache *cache, struct bytes sum);
/* The flags of a text that may be in the cache; false when its first line is not understood. */
bool script_cache_flags(const struct script_cache *cache, struct bytes source, unsigned *flags);
/* It is used now. */
void script_cache_touch(struct script_cache *cache, struct cached_script *script);
/* is_async: the old interpreter goes in slices. */
void script_cache_flush(struct script_cache *cache, bool is_async);

/* The machine with 'function' of a script. */
struct script_machine *script_cache_machine(struct script_cache *cache);

size_t script_cache_size(const struct script_cache *cache);
size_t script_cache_memory(const struct script_cache *cache);    /* of texts and tables */
size_t script_cache_vm_memory(const struct script_cache *cache); /* of the interpreter */

/* The first line of a script: "#!lua flags=no-writes". The rest of the text, from the end of that line on, is what is
 * compiled. NULL, or the error. */
const char *shebang_parse(struct bytes source, unsigned *flags, struct bytes *body, char *error, size_t error_size);

#endif
