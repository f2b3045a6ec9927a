/* Functions: the register and the interpreter together. Everything that changes them builds the new state beside the
 * old one first, and puts it in place when nothing can fail any more. */
#include "functions_internal.h"

#include "base/mem.h"
#include "engine/engine.h"
#include "persist/rdb_file.h"
#include "persist/rdb_reader.h"
#include "persist/rdb_writer.h"

struct functions {
    struct engine *engine;
    struct libraries *libraries;
    struct function_machine machine;
};

struct functions *functions_new(struct engine *engine)
{
    struct functions *functions = mem_alloc_zero(sizeof *functions);

    functions->engine = engine;
    functions->libraries = libraries_new();
    engine->functions = functions;
    return functions;
}

void functions_free(struct functions *functions)
{
    functions_flush(functions, false);
    libraries_free(functions->libraries);
    functions->engine->functions = NULL;
    mem_free(functions, sizeof *functions);
}

const struct libraries *functions_libraries(const struct functions *functions) { return functions->libraries; }

size_t functions_memory(const struct functions *functions) { return libraries_memory(functions->libraries); }

size_t functions_vm_memory(const struct functions *functions)
{
    return functions->machine.machine ? script_machine_memory(functions->machine.machine) : 0;
}

void functions_call(const struct functions *functions, const struct library_function *function,
                    struct script_call *call)
{
    call->machine = functions->machine.machine;
    call->function = lua_pinned(call->machine->lua, function->pin);
    call->name = function->name;
    call->flags = function->flags;
}

/* --- loading ------------------------------------------------------------------------------------- */

static void forget(struct functions *functions, struct library *library)
{
    function_machine_forget(&functions->machine, library);
    library_free(library);
}

/* The library is compiled, its functions are registered in it, and nobody knows of it yet. */
static struct library *compile(struct functions *functions, const struct function_header *header, struct bytes code,
                               int64_t limit_ms, struct text *error)
{
    struct library *library = library_new(text_bytes(&header->name), code);

    function_machine_open(&functions->machine, functions->engine->scripts);
    if (function_machine_load(&functions->machine, library, header->body, limit_ms, error)) {
        if (library->count)
            return library;
        text_format(error, "ERR No functions registered");
    }
    forget(functions, library);
    return NULL;
}

static bool clashes(const struct libraries *libraries, const struct library *library, const struct library *replaced,
                    struct text *error)
{
    const struct library_function *clash = libraries_clash(libraries, library, replaced);

    if (clash)
        text_format(error, "ERR Function %.*s already exists", (int)clash->name.len, clash->name.data);
    return clash != NULL;
}

static void drop(struct functions *functions, struct libraries *libraries, struct library *library)
{
    libraries_unlink(libraries, library);
    forget(functions, library);
}

static const struct library *load(struct functions *functions, const struct function_header *header,
                                  struct bytes code, struct libraries *into, bool replaces, int64_t limit_ms,
                                  struct text *error)
{
    struct library *old = libraries_find(into, text_bytes(&header->name)), *library;

    if (old && !replaces) {
        text_format(error, "ERR Library '%.*s' already exists", (int)old->name.len, old->name.data);
        return NULL;
    }
    library = compile(functions, header, code, limit_ms, error);
    if (!library)
        return NULL;
    if (clashes(into, library, old, error)) {
        forget(functions, library);
        return NULL;
    }
    if (old)
        drop(functions, into, old);
    libraries_link(into, library);
    return library;
}

static const struct library *load_into(struct functions *functions, struct bytes code, struct libraries *into,
                                       bool replaces, int64_t limit_ms, struct text *error)
{
    const struct library *library = NULL;
    struct function_header header = {0};

    if (function_header_parse(code, &header, error))
        library = load(functions, &header, code, into, replaces, limit_ms, error);
    function_header_release(&header);
    return library;
}

const struct library *functions_load(struct functions *functions, struct bytes code, bool replaces, int64_t limit_ms,
                                     struct text *error)
{
    return load_into(functions, code, functions->libraries, replaces, limit_ms, error);
}

/* --- going --------------------------------------------------------------------------------------- */

bool functions_delete(struct functions *functions, struct bytes name)
{
    struct library *library = libraries_find(functions->libraries, name);

    if (library)
        drop(functions, functions->libraries, library);
    return library != NULL;
}

/* The interpreter goes as a whole; the next library gets another. In slices it goes by what is garbage. */
void functions_flush(struct functions *functions, bool is_async)
{
    if (is_async)
        for (const struct library *library = functions->libraries->first; library; library = library->next)
            function_machine_forget(&functions->machine, library);
    libraries_free(functions->libraries);
    functions->libraries = libraries_new();
    if (functions->machine.machine)
        script_machine_free(functions->machine.machine, is_async);
    functions->machine = (struct function_machine){NULL};
}

/* --- payloads ------------------------------------------------------------------------------------- */

void functions_dump_library(struct rdb_writer *writer, struct bytes code)
{
    rdb_write_byte(writer, RDB_OPCODE_FUNCTION);
    rdb_write_string(writer, code);
}

void functions_dump(const struct functions *functions, struct rdb_writer *writer)
{
    for (const struct library *library = functions->libraries->first; library; library = library->next)
        functions_dump_library(writer, library->code);
}

static bool read_libraries(struct functions *functions, struct rdb_reader *reader, struct libraries *into,
                           int64_t limit_ms, struct text *error)
{
    while (rdb_reader_left(reader)) {
        unsigned opcode = 0;
        struct bytes code;

        if (!rdb_read_byte(reader, &opcode) || opcode != RDB_OPCODE_FUNCTION) {
            text_format(error, "%s", opcode == RDB_OPCODE_FUNCTION_OLD ? "ERR Pre-GA function format not supported"
                                                                       : "ERR given type is not a function");
            return false;
        }
        if (!rdb_read_string(reader, &code)) {
            text_format(error, "ERR Failed loading library payload");
            return false;
        }
        if (!load_into(functions, code, into, false, limit_ms, error))
            return false;
    }
    return true;
}

/* Whether the register without the libraries that have a name of 'fresh' can take all of 'fresh'. */
static bool can_join(const struct libraries *libraries, const struct libraries *fresh, bool replaces,
                     struct text *error)
{
    for (const struct library *library = fresh->first; library; library = library->next) {
        if (!replaces && libraries_find(libraries, library->name)) {
            text_format(error, "ERR Library %.*s already exists", (int)library->name.len, library->name.data);
            return false;
        }
        for (const struct library_function *function = library->first; function; function = function->next) {
            const struct library_function *other = libraries_find_function(libraries, function->name);

            if (other && !libraries_find(fresh, other->library->name)) {
                text_format(error, "ERR Function %.*s already exists", (int)function->name.len, function->name.data);
                return false;
            }
        }
    }
    return true;
}

static void drop_all(struct functions *functions, struct libraries *libraries)
{
    while (libraries->first)
        drop(functions, libraries, libraries->first);
}

/* All of 'from' moves into 'to', where libraries of the same names go first. */
static void move_all(struct functions *functions, struct libraries *from, struct libraries *to)
{
    for (const struct library *library = from->first; library; library = library->next) {
        struct library *old = libraries_find(to, library->name);

        if (old)
            drop(functions, to, old);
    }
    while (from->first) {
        struct library *library = from->first;

        libraries_unlink(from, library);
        libraries_link(to, library);
    }
}

bool functions_restore(struct functions *functions, struct bytes content, enum functions_policy policy,
                       int64_t limit_ms, struct text *error)
{
    struct libraries *fresh = libraries_new();
    struct rdb_reader reader;
    bool is_good;

    rdb_reader_init(&reader, content);
    is_good = read_libraries(functions, &reader, fresh, limit_ms, error) &&
              (policy == FUNCTIONS_FLUSH ||
               can_join(functions->libraries, fresh, policy == FUNCTIONS_REPLACE, error));
    rdb_reader_release(&reader);
    if (is_good && policy == FUNCTIONS_FLUSH)
        drop_all(functions, functions->libraries);
    if (is_good)
        move_all(functions, fresh, functions->libraries);
    else
        drop_all(functions, fresh);
    libraries_free(fresh);
    return is_good;
}
