/* FUNCTION, FCALL and FCALL_RO. */
#include "run_row_internal.h"

#include "base/numbers.h"
#include "commands/help.h"
#include "engine/monitor.h"
#include "engine/request.h"
#include "persist/dump_payload.h"
#include "persist/rdb_writer.h"
#include "script/functions.h"

#define ENGINE_NAME "LUA"

static const struct libraries *libraries_of(const struct request *req)
{
    return functions_libraries(req->engine->functions);
}

/* Functions are data: what changes them travels, though no key is touched. */
static void functions_changed(struct request *req)
{
    req->flags |= REQUEST_CHANGED;
    req->engine->changes++;
}

/* The text may be of any length, which reply_error_format cannot have. */
static void reply_failure(struct request *req, struct text *error)
{
    text_add(error, (struct bytes){"", 1});
    reply_error(req, error->data);
    text_release(error);
}

static void reply_unknown(struct request *req, const char *text, int at)
{
    struct text error = {0};

    text_add(&error, bytes_from_string(text));
    text_add(&error, req->argv[at]);
    reply_failure(req, &error);
}

/* --- FCALL ---------------------------------------------------------------------------------------- */

#define FUNCTION_AT 1
#define NUMKEYS_AT  2

static void fcall(struct request *req, bool is_read_only)
{
    const struct library_function *function = libraries_find_function(libraries_of(req), req->argv[FUNCTION_AT]);
    struct script_call call = {.is_read_only = is_read_only};
    int64_t count;

    monitor_show(req); /* before the commands that it runs */
    if (!function) {
        reply_error(req, "ERR Function not found");
        return;
    }
    if (!parse_int_range_or_reply(req, NUMKEYS_AT, INT64_MIN, INT64_MAX, &count,
                                  "ERR Bad number of keys provided") ||
        !script_keys_or_reply(req, &call))
        return;
    functions_call(req->engine->functions, function, &call);
    script_run(req, &call);
}

static void cmd_fcall(struct request *req) { fcall(req, false); }
static void cmd_fcall_ro(struct request *req) { fcall(req, true); }

/* What the function says of itself rules what the gate does with it. */
static uint32_t fcall_flags(const struct request *req)
{
    const struct library_function *function = libraries_find_function(libraries_of(req), req->argv[FUNCTION_AT]);
    uint32_t flags = req->command->row->flags;

    return function ? script_command_flags(flags, function->flags) : flags;
}

/* --- FUNCTION LOAD, DELETE, FLUSH, KILL ------------------------------------------------------------ */

static void function_load(struct request *req)
{
    const struct library *library;
    struct text error = {0};
    bool replaces = false;

    for (int i = 2; i < req->argc - 1; i++) {
        if (!argument_is(req, i, "replace")) {
            reply_unknown(req, "ERR Unknown option given: ", i);
            return;
        }
        replaces = true;
    }
    library = functions_load(req->engine->functions, req->argv[req->argc - 1], replaces, FUNCTIONS_LOAD_LIMIT_MS,
                             &error);
    if (!library) {
        reply_failure(req, &error);
        return;
    }
    functions_changed(req);
    reply_bulk(req, library->name);
}

static void function_delete(struct request *req)
{
    if (!functions_delete(req->engine->functions, req->argv[2])) {
        reply_error(req, "ERR Library not found");
        return;
    }
    functions_changed(req);
    reply_ok(req);
}

static void function_flush(struct request *req)
{
    bool is_async = req->argc == 3 && argument_is(req, 2, "async");

    if (req->argc > 3) {
        reply_subcommand_error(req);
        return;
    }
    if (req->argc == 3 && !is_async && !argument_is(req, 2, "sync")) {
        reply_error(req, "ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
        return;
    }
    functions_flush(req->engine->functions, is_async);
    functions_changed(req);
    reply_ok(req);
}

static void function_kill(struct request *req) { script_kill_command(req, SCRIPT_FUNCTION); }

/* --- FUNCTION LIST, STATS --------------------------------------------------------------------------- */

struct list_options {
    struct bytes pattern; /* without data: all */
    bool has_pattern, with_code;
};

static bool parse_list_or_reply(struct request *req, struct list_options *options)
{
    for (int i = 2; i < req->argc; i++) {
        if (!options->with_code && argument_is(req, i, "withcode")) {
            options->with_code = true;
        } else if (!options->has_pattern && argument_is(req, i, "libraryname")) {
            if (i + 1 == req->argc) {
                reply_error(req, "ERR library name argument was not given");
                return false;
            }
            options->has_pattern = true;
            options->pattern = req->argv[++i];
        } else {
            reply_unknown(req, "ERR Unknown argument ", i);
            return false;
        }
    }
    return true;
}

static bool is_listed(const struct library *library, const struct list_options *options)
{
    return !options->has_pattern || bytes_match(options->pattern, library->name, true);
}

static void reply_flags(struct request *req, unsigned flags)
{
    reply_set(req, (size_t)__builtin_popcount(flags));
    for (unsigned i = 0; script_flag_name(i); i++)
        if (flags & 1u << i)
            reply_status(req, script_flag_name(i));
}

static void reply_function(struct request *req, const struct library_function *function)
{
    reply_map(req, 3);
    reply_bulk_string(req, "name");
    reply_bulk(req, function->name);
    reply_bulk_string(req, "description");
    if (function->description.data)
        reply_bulk(req, function->description);
    else
        reply_null(req);
    reply_bulk_string(req, "flags");
    reply_flags(req, function->flags);
}

static void reply_library(struct request *req, const struct library *library, bool with_code)
{
    reply_map(req, with_code ? 4 : 3);
    reply_bulk_string(req, "library_name");
    reply_bulk(req, library->name);
    reply_bulk_string(req, "engine");
    reply_bulk_string(req, ENGINE_NAME);
    reply_bulk_string(req, "functions");
    reply_array(req, library->count);
    for (const struct library_function *function = library->first; function; function = function->next)
        reply_function(req, function);
    if (with_code) {
        reply_bulk_string(req, "library_code");
        reply_bulk(req, library->code);
    }
}

static void function_list(struct request *req)
{
    struct list_options options = {.pattern = {NULL, 0}};
    size_t count = 0;

    if (!parse_list_or_reply(req, &options))
        return;
    for (const struct library *library = libraries_of(req)->first; library; library = library->next)
        count += is_listed(library, &options);
    reply_array(req, count);
    for (const struct library *library = libraries_of(req)->first; library; library = library->next)
        if (is_listed(library, &options))
            reply_library(req, library, options.with_code);
}

static void reply_running(struct request *req, const struct script_running *running)
{
    reply_map(req, 3);
    reply_bulk_string(req, "name");
    reply_bulk(req, running->name);
    reply_bulk_string(req, "command");
    reply_array(req, (size_t)running->request->argc);
    for (int i = 0; i < running->request->argc; i++)
        reply_bulk(req, running->request->argv[i]);
    reply_bulk_string(req, "duration_ms");
    reply_int(req, (int64_t)((clock_work_ns() - running->started_ns) / 1000000));
}

static void function_stats(struct request *req)
{
    const struct script_running *running = script_running(req->engine->scripts);
    const struct libraries *libraries = libraries_of(req);

    if (running && running->kind != SCRIPT_FUNCTION) {
        reply_error(req, req->engine->busy_error);
        return;
    }
    reply_map(req, 2);
    reply_bulk_string(req, "running_script");
    if (running)
        reply_running(req, running);
    else
        reply_null(req);
    reply_bulk_string(req, "engines");
    reply_map(req, 1);
    reply_bulk_string(req, ENGINE_NAME);
    reply_map(req, 2);
    reply_bulk_string(req, "libraries_count");
    reply_int(req, (int64_t)libraries_count(libraries));
    reply_bulk_string(req, "functions_count");
    reply_int(req, (int64_t)libraries->function_count);
}

/* --- FUNCTION DUMP, RESTORE --------------------------------------------------------------------------- */

static void function_dump(struct request *req)
{
    struct rdb_writer writer = {.compresses = req->engine->settings.is_rdb_compressed};

    functions_dump(req->engine->functions, &writer);
    dump_footer_write(&writer);
    reply_bulk(req, (struct bytes){writer.data, writer.len});
    rdb_writer_release(&writer);
}

static bool parse_policy_or_reply(struct request *req, enum functions_policy *policy)
{
    *policy = FUNCTIONS_APPEND;
    if (req->argc > 4) {
        reply_subcommand_error(req);
        return false;
    }
    if (req->argc == 3 || argument_is(req, 3, "append"))
        return true;
    if (!argument_is(req, 3, "replace") && !argument_is(req, 3, "flush")) {
        reply_error(req, "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.");
        return false;
    }
    *policy = argument_is(req, 3, "flush") ? FUNCTIONS_FLUSH : FUNCTIONS_REPLACE;
    return true;
}

static void function_restore(struct request *req)
{
    enum functions_policy policy;
    struct text error = {0};
    struct bytes content;

    if (!parse_policy_or_reply(req, &policy))
        return;
    if (!dump_footer_check(req->argv[2], &content)) {
        reply_error(req, ERR_DUMP_PAYLOAD);
        return;
    }
    if (!functions_restore(req->engine->functions, content, policy, FUNCTIONS_LOAD_LIMIT_MS, &error)) {
        reply_failure(req, &error);
        return;
    }
    functions_changed(req);
    reply_ok(req);
}

/* --- the table ---------------------------------------------------------------------------------------- */

#define FOR_ALL_SHARDS "request_policy:all_shards response_policy:all_succeeded"

static const struct command function_subcommands[] = {
    {"delete", function_delete, 3, CMD_NOSCRIPT | CMD_WRITE, {0, 0, 0}, NULL, "7.0.0", "O(1)", "library-name",
     "Deletes a library with its functions.", .tips = FOR_ALL_SHARDS},
    {"dump", function_dump, 2, CMD_NOSCRIPT, {0, 0, 0}, NULL, "7.0.0", "O(N) libraries", "",
     "Returns all libraries as a payload for RESTORE."},
    {"flush", function_flush, -2, CMD_NOSCRIPT | CMD_WRITE, {0, 0, 0}, NULL, "7.0.0", "O(N) functions",
     "[ASYNC | SYNC]", "Deletes all libraries. ASYNC frees them in slices.", .tips = FOR_ALL_SHARDS},
    {"help", cmd_help, 2, CMD_LOADING | CMD_STALE, {0, 0, 0}, NULL, "7.0.0", "O(1)", "", "Prints this help."},
    {"kill", function_kill, 2, CMD_NOSCRIPT | CMD_ALLOW_BUSY, {0, 0, 0}, NULL, "7.0.0", "O(1)", "",
     "Ends the function that runs, unless it has written.",
     .tips = "request_policy:all_shards response_policy:one_succeeded"},
    {"list", function_list, -2, CMD_NOSCRIPT, {0, 0, 0}, NULL, "7.0.0", "O(N) functions",
     "[LIBRARYNAME library-name-pattern] [WITHCODE]", "Returns libraries and their functions.",
     .tips = "nondeterministic_output_order"},
    {"load", function_load, -3, CMD_NOSCRIPT | CMD_WRITE | CMD_GROWS, {0, 0, 0}, NULL, "7.0.0",
     "O(N) bytes of the code", "[REPLACE] function-code",
     "Creates a library from its code, which begins with \"#!lua name=<library>\".", .tips = FOR_ALL_SHARDS},
    {"restore", function_restore, -3, CMD_NOSCRIPT | CMD_WRITE | CMD_GROWS, {0, 0, 0}, NULL, "7.0.0",
     "O(N) functions of the payload", "serialized-value [FLUSH | APPEND | REPLACE]",
     "Creates all libraries of a payload, or none. FLUSH deletes what is there, REPLACE what has the same names, "
     "APPEND (which is usual) nothing.",
     .tips = FOR_ALL_SHARDS},
    {"stats", function_stats, 2, CMD_NOSCRIPT | CMD_ALLOW_BUSY, {0, 0, 0}, NULL, "7.0.0", "O(1)", "",
     "Tells which function runs, for how long, and how many there are.",
     .tips = "nondeterministic_output request_policy:all_shards response_policy:special"},
    {0},
};

static const struct command function_commands[] = {
    {"fcall", cmd_fcall, -3, RUN_FLAGS | CMD_MAY_REPLICATE, {0, 0, 0}, NULL, "7.0.0", "as the function does",
     "function numkeys [key [key ...]] [arg [arg ...]]", "Runs a function.", .key_rules = ANY_USE,
     .flags_of = fcall_flags},
    {"fcall_ro", cmd_fcall_ro, -3, RUN_FLAGS | CMD_READONLY, {0, 0, 0}, NULL, "7.0.0", "as the function does",
     "function numkeys [key [key ...]] [arg [arg ...]]", "Runs a function that writes nothing.",
     .key_rules = ANY_READ, .flags_of = fcall_flags},
    {"function", NULL, -2, 0, {0, 0, 0}, function_subcommands, "7.0.0", "", "", "Manages libraries of functions."},
};
REGISTER_COMMANDS("scripting", function_commands);
