/* The register of function libraries.
 *
 *     by_name       "mylib" -> library -> function -> function
 *                                 |           ^          ^
 *     by_function   "f"     ------------------+          |
 *                   "g"     -----------------------------+
 *
 * A library is a list of functions; both maps only find. What is asked on every FCALL is one lookup by name. */
#include "script/function_library.h"

#include "base/assert.h"
#include "base/mem.h"

#include <ctype.h>

#define NAME_AT_HAND 128

/* --- libraries --------------------------------------------------------------------------------- */

static struct bytes copy_of(struct bytes text)
{
    char *copy = text.len ? mem_alloc(text.len) : NULL;

    if (text.len)
        memcpy(copy, text.data, text.len);
    return (struct bytes){text.data && !copy ? "" : copy, text.len}; /* empty is not the same as none */
}

static void release(struct bytes text)
{
    if (text.len)
        mem_free((char *)text.data, text.len);
}

struct library *library_new(struct bytes name, struct bytes code)
{
    struct library *library = mem_alloc_zero(sizeof *library);

    library->name = copy_of(name);
    library->code = copy_of(code);
    library->last = &library->first;
    return library;
}

static void free_function(struct library_function *function)
{
    release(function->name);
    release(function->description);
    mem_free(function, sizeof *function);
}

void library_free(struct library *library)
{
    struct library_function *next;

    for (struct library_function *function = library->first; function; function = next) {
        next = function->next;
        free_function(function);
    }
    release(library->name);
    release(library->code);
    mem_free(library, sizeof *library);
}

struct library_function *library_add(struct library *library, const struct library_function *function)
{
    struct library_function *added;

    for (const struct library_function *other = library->first; other; other = other->next)
        if (bytes_equal(other->name, function->name))
            return NULL;
    added = mem_alloc_zero(sizeof *added);
    *added = *function;
    added->name = copy_of(function->name);
    added->description = copy_of(function->description);
    added->library = library;
    added->next = NULL;
    *library->last = added;
    library->last = &added->next;
    library->count++;
    return added;
}

bool library_name_is_good(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return name.len > 0;
}

static size_t library_bytes(const struct library *library)
{
    size_t bytes = sizeof *library + library->name.len + library->code.len;

    for (const struct library_function *function = library->first; function; function = function->next)
        bytes += sizeof *function + function->name.len + function->description.len;
    return bytes;
}

/* --- the register --------------------------------------------------------------------------------- */

struct libraries *libraries_new(void)
{
    struct libraries *libraries = mem_alloc_zero(sizeof *libraries);

    map_init(&libraries->by_name);
    map_init(&libraries->by_function);
    return libraries;
}

void libraries_free(struct libraries *libraries)
{
    struct library *next;

    for (struct library *library = libraries->first; library; library = next) {
        next = library->next;
        library_free(library);
    }
    map_release(&libraries->by_name);
    map_release(&libraries->by_function);
    mem_free(libraries, sizeof *libraries);
}

struct library *libraries_find(const struct libraries *libraries, struct bytes name)
{
    const struct map_node *node = map_find(&libraries->by_name, name);

    return node ? node->value : NULL;
}

/* Under which a function is found. 'at_hand' has NAME_AT_HAND bytes. */
static struct bytes fold(struct bytes name, char *at_hand)
{
    char *folded = name.len > NAME_AT_HAND ? mem_alloc(name.len) : at_hand;

    for (size_t i = 0; i < name.len; i++)
        folded[i] = (char)tolower((unsigned char)name.data[i]);
    return (struct bytes){folded, name.len};
}

static void fold_done(struct bytes folded, const char *at_hand)
{
    if (folded.data != at_hand)
        mem_free((char *)folded.data, folded.len);
}

struct library_function *libraries_find_function(const struct libraries *libraries, struct bytes name)
{
    char at_hand[NAME_AT_HAND];
    struct bytes folded = fold(name, at_hand);
    const struct map_node *node = map_find(&libraries->by_function, folded);

    fold_done(folded, at_hand);
    return node ? node->value : NULL;
}

const struct library_function *libraries_clash(const struct libraries *libraries, const struct library *library,
                                               const struct library *replaced)
{
    for (const struct library_function *function = library->first; function; function = function->next) {
        const struct library_function *other = libraries_find_function(libraries, function->name);

        if (other && other->library != replaced)
            return function;
    }
    return NULL;
}

static void link_function(struct libraries *libraries, struct library_function *function)
{
    char at_hand[NAME_AT_HAND];
    struct bytes folded = fold(function->name, at_hand);
    bool is_new;
    struct map_node *node = map_add(&libraries->by_function, folded, &is_new);

    if (is_new)
        node->value = function;
    fold_done(folded, at_hand);
}

static void unlink_function(struct libraries *libraries, const struct library_function *function)
{
    char at_hand[NAME_AT_HAND];
    struct bytes folded = fold(function->name, at_hand);

    map_remove_key(&libraries->by_function, folded); /* absent: it went with its like in the same library */
    fold_done(folded, at_hand);
}

void libraries_link(struct libraries *libraries, struct library *library)
{
    bool is_new;

    ASSERT(!libraries_clash(libraries, library, NULL));
    map_add(&libraries->by_name, library->name, &is_new)->value = library;
    ASSERT(is_new);
    for (struct library_function *function = library->first; function; function = function->next)
        link_function(libraries, function);
    library->previous = libraries->last;
    library->next = NULL;
    *(libraries->last ? &libraries->last->next : &libraries->first) = library;
    libraries->last = library;
    libraries->function_count += library->count;
    libraries->bytes += library_bytes(library);
}

void libraries_unlink(struct libraries *libraries, struct library *library)
{
    map_remove_key(&libraries->by_name, library->name);
    for (const struct library_function *function = library->first; function; function = function->next)
        unlink_function(libraries, function);
    *(library->previous ? &library->previous->next : &libraries->first) = library->next;
    *(library->next ? &library->next->previous : &libraries->last) = library->previous;
    libraries->function_count -= library->count;
    libraries->bytes -= library_bytes(library);
}

size_t libraries_memory(const struct libraries *libraries)
{
    return sizeof *libraries + libraries->bytes + map_memory(&libraries->by_name) +
           map_memory(&libraries->by_function);
}

void libraries_check(const struct libraries *libraries)
{
    const struct library *previous = NULL;
    size_t libraries_seen = 0, functions_seen = 0, bytes = 0, found = 0;

    for (struct library *library = libraries->first; library; previous = library, library = library->next) {
        size_t count = 0;

        ASSERT(library->previous == previous);
        ASSERT(libraries_find(libraries, library->name) == library);
        for (const struct library_function *function = library->first; function; function = function->next) {
            const struct library_function *first = libraries_find_function(libraries, function->name);

            ASSERT(first && first->library == library && function->library == library);
            found += first == function;
            count++;
        }
        ASSERT(count == library->count);
        functions_seen += count;
        bytes += library_bytes(library);
        libraries_seen++;
    }
    ASSERT(libraries->last == previous);
    ASSERT(libraries_seen == libraries_count(libraries));
    ASSERT(functions_seen == libraries->function_count && found == map_size(&libraries->by_function));
    ASSERT(bytes == libraries->bytes);
    dict_check(&libraries->by_name.dict);
    dict_check(&libraries->by_function.dict);
}
