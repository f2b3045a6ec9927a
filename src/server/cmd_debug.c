/* DEBUG: for tests and for looking inside. Refused unless enable-debug-command allows it. */
#include "debug_internal.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/numbers.h"
#include "engine/events.h"
#include "persist/rdb_value.h"
#include "store/string_value.h"
#include "store/value.h"
#include "types/list.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>

#define ERR_DEBUG_REFUSED                                                                          \
    "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you "  \
    "can run it from a local connection, otherwise you need to set this option in the "           \
    "configuration file, and then restart the server."

static const struct event_kind EVENT_SET = {EVENT_CLASS_STRING, "set"};

static bool is_allowed(struct request *req)
{
    return server_allows(req, server_of(req)->settings.debug_command);
}

/* --- time ---------------------------------------------------------------------------------------------------- */

static void debug_sleep(struct request *req)
{
    double seconds;
    struct timespec time;

    if (!double_parse(req->argv[2], &seconds) || !(seconds >= 0) || seconds > 1e9)
        seconds = 0;
    time.tv_sec = (time_t)seconds;
    time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
    while (nanosleep(&time, &time) < 0 && errno == EINTR)
        ;
    clock_sync(req->engine->clock);
    reply_ok(req);
}

/* ADVANCE ms | FREEZE | THAW */
static void debug_clock(struct request *req)
{
    struct clock *clock = req->engine->clock;
    int64_t ms;

    if (req->argc == 4 && argument_is(req, 2, "advance")) {
        if (!parse_int_range_or_reply(req, 3, 0, INT64_C(1) << 52, &ms, ERR_NOT_INTEGER))
            return;
        clock_advance(clock, ms);
        store_tick(req->engine->store);
    } else if (req->argc == 3 && argument_is(req, 2, "freeze")) {
        clock_freeze(clock);
    } else if (req->argc == 3 && argument_is(req, 2, "thaw")) {
        clock_thaw(clock);
    } else {
        reply_syntax_error(req);
        return;
    }
    server_of(req)->has_work = true; /* what is due now is not left for the next cron */
    reply_ok(req);
}

/* Serves events in turns of their own for some milliseconds, as a busy script will. */
static void debug_nested_loop(struct request *req)
{
    uint64_t end_ns;
    int64_t ms;

    if (!parse_int_range_or_reply(req, 2, 0, 60000, &ms, ERR_NOT_INTEGER))
        return;
    end_ns = clock_work_ns() + (uint64_t)ms * 1000000;
    while (clock_work_ns() < end_ns)
        engine_nested_turn(req->engine);
    reply_ok(req);
}

static int hold(struct server *server, int64_t ms)
{
    poll(NULL, 0, (int)ms);
    return 0;
}

/* Forks a child that holds a snapshot for some milliseconds; answers its pid. */
static void debug_snapshot_child(struct request *req)
{
    struct error error;
    int64_t ms;
    pid_t pid;

    if (!parse_int_range_or_reply(req, 2, 0, 3600000, &ms, ERR_NOT_INTEGER))
        return;
    pid = snapshot_child_start(server_of(req), CHILD_HOLDS, hold, ms, &error);
    if (pid < 0)
        reply_error_format(req, "ERR %s", error.text);
    else
        reply_int(req, pid);
}

/* --- data ---------------------------------------------------------------------------------------------------- */

/* count [prefix] [size]: keys prefix:0 ... that are absent get a value. */
static void debug_populate(struct request *req)
{
    struct bytes prefix = req->argc > 3 ? req->argv[3] : BYTES("key");
    int64_t count, size = 0;
    size_t key_size = prefix.len + INT64_TEXT_MAX + 2;
    char *key, text[64], *value;

    if (!parse_int_range_or_reply(req, 2, 0, INT64_MAX, &count, ERR_NOT_POSITIVE) ||
        (req->argc == 5 && !parse_int_range_or_reply(req, 4, 0, req->engine->settings.bulk_len_max,
                                                     &size, ERR_NOT_POSITIVE)))
        return;
    key = mem_alloc(key_size);
    value = size ? mem_alloc_zero((size_t)size) : NULL;
    for (int64_t i = 0; i < count; i++) {
        size_t len = (size_t)snprintf(key, key_size, "%.*s:%lld", (int)prefix.len, prefix.data,
                                      (long long)i);
        struct bytes name = {key, len};
        struct bytes content = {text, (size_t)snprintf(text, sizeof text, "value:%lld", (long long)i)};
        struct key_ref ref = store_find(req->db, name, hash_bytes(name), LOOKUP_WRITE);

        if (ref.entry)
            continue;
        if (value) {
            memcpy(value, text, content.len < (size_t)size ? content.len : (size_t)size);
            content = (struct bytes){value, (size_t)size};
        }
        string_set(&ref, name, content, false);
        key_changed(req, req->db, name, &EVENT_SET, 1);
    }
    mem_free(value, (size_t)size);
    mem_free(key, key_size);
    reply_ok(req);
}

static void debug_digest(struct request *req)
{
    char digest[DIGEST_TEXT_SIZE];

    digest_all(req->engine->store, digest);
    reply_status(req, digest);
}

/* What DEBUG OBJECT says of a list of several blocks, appended at 'at'. */
static void describe_list(const struct list *list, char *at, size_t room)
{
    size_t blocks, bytes;

    if (list_blocks(list, &blocks, &bytes))
        snprintf(at, room,
                 " ql_nodes:%zu ql_avg_node:%.2f ql_listpack_max:%d ql_compressed:0 "
                 "ql_uncompressed_size:%zu",
                 blocks, blocks ? (double)list_size(list) / (double)blocks : 0.0,
                 list_listpack_limit(), bytes);
}

static bool drop_bytes(void *context, const char *data, size_t len) { return true; }

/* Bytes of the value as RDB has it. */
static size_t serialized_length(const struct request *req, const struct entry *entry)
{
    struct rdb_writer writer = {.compresses = req->engine->settings.is_rdb_compressed, .flush = drop_bytes};
    size_t len;

    rdb_write_value(&writer, entry);
    len = (size_t)writer.flushed + writer.len;
    rdb_writer_release(&writer);
    return len;
}

static void debug_object(struct request *req)
{
    struct key_ref ref = key_find(req, 2, LOOKUP_NOTOUCH | LOOKUP_QUIET);
    struct store *store = req->engine->store;
    char line[512];
    size_t len;

    if (!ref.entry) {
        reply_error(req, ERR_NO_SUCH_KEY);
        return;
    }
    len = (size_t)snprintf(
        line, sizeof line,
        "Value at:%p refcount:1 encoding:%s serializedlength:%zu lru:%u lru_seconds_idle:%llu",
        (void *)ref.entry, value_encoding(ref.entry),
        serialized_length(req, ref.entry),
        ref.entry->access, (unsigned long long)store_idle_seconds(store, ref.entry));
    if (ref.entry->type == VALUE_LIST)
        describe_list(entry_value(ref.entry), line + len, sizeof line - len);
    reply_status(req, line);
}

static void debug_set_active_expire(struct request *req)
{
    req->engine->store->is_active_expire_off = bytes_equal(req->argv[2], BYTES("0"));
    reply_ok(req);
}

/* --- the command --------------------------------------------------------------------------------------------- */

static void debug_pause_cron(struct request *req)
{
    server_of(req)->is_cron_paused = bytes_equal(req->argv[2], BYTES("1"));
    reply_ok(req);
}

static const struct debug_action own_actions[] = {
    {"clock", 3, 4, debug_clock, "ADVANCE ms | FREEZE | THAW",
     "Moves, stops and releases the clock that expiry and waiting see."},
    {"digest", 2, 2, debug_digest, "", "Returns a digest of all data."},
    {"nested-loop", 3, 3, debug_nested_loop, "ms", "Serves other clients from within this command."},
    {"object", 3, ANY_ARGC, debug_object, "key", "Shows the inside of a value."},
    {"pause-cron", 3, 3, debug_pause_cron, "0 | 1", "Stops what is done some times a second."},
    {"populate", 3, 5, debug_populate, "count [prefix] [size]", "Makes string keys."},
    {"set-active-expire", 3, 3, debug_set_active_expire, "0 | 1",
     "Leaves expired keys until they are asked for."},
    {"sleep", 3, 3, debug_sleep, "seconds", "Stops the server for a while."},
    {"snapshot-child", 3, 3, debug_snapshot_child, "ms",
     "Forks a child that holds a snapshot for a while, and returns its pid."},
    {NULL},
};

static const struct debug_action *const actions[] = {own_actions, debug_persist_actions, debug_reply_actions, debug_table_actions,
                                                     debug_crash_actions};
#define ACTION_TABLES (sizeof actions / sizeof *actions)

static void reply_help(struct request *req)
{
    char line[256];
    size_t count = 0;

    for (size_t i = 0; i < ACTION_TABLES; i++)
        for (const struct debug_action *action = actions[i]; action->name; action++)
            count++;
    reply_array(req, 1 + 2 * count);
    reply_status(req, "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
    for (size_t i = 0; i < ACTION_TABLES; i++)
        for (const struct debug_action *action = actions[i]; action->name; action++) {
            snprintf(line, sizeof line, "%s%s%s", action->name, *action->syntax ? " " : "", action->syntax);
            reply_status(req, line);
            snprintf(line, sizeof line, "    %s", action->summary);
            reply_status(req, line);
        }
}

static const struct debug_action *find_action(const struct request *req)
{
    for (size_t i = 0; i < ACTION_TABLES; i++)
        for (const struct debug_action *action = actions[i]; action->name; action++)
            if (argument_is(req, 1, action->name))
                return req->argc >= action->argc_min && req->argc <= action->argc_max ? action : NULL;
    return NULL;
}

void reply_debug_error(struct request *req)
{
    reply_error_format(req,
                       "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try DEBUG "
                       "HELP.",
                       (int)(req->argv[1].len < 128 ? req->argv[1].len : 128), req->argv[1].data);
}

static void cmd_debug(struct request *req)
{
    const struct debug_action *action;

    if (!is_allowed(req)) {
        reply_error(req, ERR_DEBUG_REFUSED);
        return;
    }
    action = find_action(req);
    if (action)
        action->run(req);
    else if (req->argc == 2 && argument_is(req, 1, "help"))
        reply_help(req);
    else
        reply_debug_error(req);
}

static const struct command debug_commands[] = {
    {"debug", cmd_debug, -2, CMD_ADMIN | CMD_DANGEROUS | CMD_NOSCRIPT | CMD_LOADING | CMD_STALE,
     {0, 0, 0}, NULL, "1.0.0", "depends on the subcommand", "subcommand [arg [arg ...]]",
     "Looks inside the server and moves its clock."},
};
REGISTER_COMMANDS("server", debug_commands);
