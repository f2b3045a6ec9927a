/* The configuration: one row for each directive that has a subject here, and what follows a change.
 *
 * A row says where the value lives (settings live in the module that uses them), how it is parsed and
 * printed, and whether it may change while the server runs. Directives without a subject stand in config_absent.c. */
#include "config_internal.h"

#include "base/log.h"
#include "types/hash_value.h"
#include "types/list.h"
#include "types/set.h"
#include "types/zset.h"

#include <limits.h>

#define HZ_MAX 500

/* --- what follows a change ------------------------------------------------------------------------------ */

static int apply_log_level(struct server *server, struct error *error)
{
    log_set_level((enum log_level)server->settings.log_level);
    return 0;
}

static int apply_max_clients(struct server *server, struct error *error)
{
    int64_t wanted, possible;

    if (!server->engine)
        return 0;
    wanted = server->engine->settings.max_clients;
    possible = server_raise_descriptors(wanted);
    if (possible < wanted)
        return error_set(error, "The operating system is not able to handle the specified number of clients, "
                                "try with %lld", (long long)possible);
    return 0;
}

static int apply_bind(struct server *server, struct error *error)
{
    if (server->engine && server_listen_again(server, error) < 0)
        return error_set(error, "Failed to bind to specified addresses.");
    return 0;
}

static int apply_port(struct server *server, struct error *error)
{
    if (server->engine && server_listen_again(server, error) < 0)
        return error_set(error, "Unable to listen on this port. Check server logs.");
    return 0;
}

static int apply_password(struct server *server, struct error *error)
{
    (server->engine ? &server->engine->settings : &server->staged)->password =
        server->settings.password;
    return 0;
}

static int apply_list_size(struct server *server, struct error *error)
{
    list_set_listpack_limit((int)server->settings.list_listpack_size);
    return 0;
}

static int apply_set_limits(struct server *server, struct error *error)
{
    const struct server_settings *settings = &server->settings;

    set_use_limits((struct set_limits){(size_t)settings->set_intset_entries,
                                       (size_t)settings->set_listpack_entries,
                                       (size_t)settings->set_listpack_value});
    return 0;
}

static int apply_hash_limits(struct server *server, struct error *error)
{
    hash_set_listpack_entries((uint64_t)server->settings.hash_listpack_entries);
    hash_set_listpack_value((uint64_t)server->settings.hash_listpack_value);
    return 0;
}

static int apply_zset_limits(struct server *server, struct error *error)
{
    zset_set_listpack_limits((size_t)server->settings.zset_listpack_entries,
                             (size_t)server->settings.zset_listpack_value);
    return 0;
}

static int apply_memory_limit(struct server *server, struct error *error)
{
    struct store *store = server->store;

    if (!store)
        return 0;
    store_limit_memory(store, (size_t)server->settings.memory_limit);
    if (store_is_over_limit(store))
        log_write(LOG_WARNING, "The new limit on memory is below the %zu bytes in use: %s", mem_used(),
                  store->settings.policy == EVICT_NONE ? "commands that need more are refused"
                                                       : "keys are evicted");
    return 0;
}

static int apply_slowness(struct server *server, struct error *error)
{
    if (server->engine)
        engine_settings_changed(server->engine);
    return 0;
}

/* As Redis: any number is taken, and what is kept is within reason. */
static int apply_hz(struct server *server, struct error *error)
{
    int64_t *hz = &server->settings.hz;

    *hz = *hz < 1 ? 1 : *hz > HZ_MAX ? HZ_MAX : *hz;
    return 0;
}

static int apply_title(struct server *server, struct error *error)
{
    proc_title_refresh(server);
    return 0;
}

static int apply_save_points(struct server *server, struct error *error)
{
    if (server->engine)
        persistence_refresh(server);
    return 0;
}

static int apply_oom(struct server *server, struct error *error)
{
    return server->engine ? oom_score_adjust(server, error) : 0;
}

/* --- the table -------------------------------------------------------------------------------------------- */

static const struct config_word log_levels[] = {
    {"debug", LOG_DEBUG},     {"verbose", LOG_VERBOSE}, {"notice", LOG_NOTICE},
    {"warning", LOG_WARNING}, {"nothing", LOG_NOTHING}, {NULL, 0},
};
const struct config_word allow_words[] = {
    {"no", ALLOW_NO}, {"yes", ALLOW_YES}, {"local", ALLOW_LOCAL}, {NULL, 0},
};
static const struct config_word supervisors[] = {
    {"upstart", SUPERVISED_UPSTART}, {"systemd", SUPERVISED_SYSTEMD}, {"auto", SUPERVISED_AUTO},
    {"no", SUPERVISED_NO}, {NULL, 0},
};
static const struct config_word oom_words[] = {
    {"no", OOM_NO}, {"yes", OOM_RELATIVE}, {"relative", OOM_RELATIVE}, {"absolute", OOM_ABSOLUTE}, {NULL, 0},
};
static const struct config_word shutdown_words[] = {
    {"default", 0}, {"save", SHUTDOWN_SAVE}, {"nosave", SHUTDOWN_NOSAVE}, {"now", SHUTDOWN_NOW},
    {"force", SHUTDOWN_FORCE}, {NULL, 0},
};
static const struct config_word facilities[] = { /* as log_use_syslog has them */
    {"user", 0},   {"local0", 1}, {"local1", 2}, {"local2", 3}, {"local3", 4},
    {"local4", 5}, {"local5", 6}, {"local6", 7}, {"local7", 8}, {NULL, 0},
};
static const struct config_word policies[] = {
    {"volatile-lru", EVICT_VOLATILE_LRU},       {"volatile-lfu", EVICT_VOLATILE_LFU},
    {"volatile-random", EVICT_VOLATILE_RANDOM}, {"volatile-ttl", EVICT_VOLATILE_TTL},
    {"allkeys-lru", EVICT_ALLKEYS_LRU},         {"allkeys-lfu", EVICT_ALLKEYS_LFU},
    {"allkeys-random", EVICT_ALLKEYS_RANDOM},   {"noeviction", EVICT_NONE},
    {NULL, 0},
};

static const struct config_row rows[] = {
    {"always-show-logo", KIND_BOOL, CONFIG_FIXED, SERVER(shows_logo)},
    {"bind", KIND_LIST, false, SERVER(bind), .preset_text = "* -::*", .check = check_addresses,
     .applied = apply_bind},
    {"busy-reply-threshold", KIND_INT, false, ENGINE(busy_reply_threshold_ms), 0, LLONG_MAX, 5000,
     .alias = "lua-time-limit"},
    {"client-output-buffer-limit", KIND_OWN, CONFIG_WORDS, .parse = parse_output_limits,
     .format = format_output_limits, .words_per_line = 4},
    {"client-query-buffer-limit", KIND_MEMORY, false, ENGINE(input_bytes_max), 1 << 20, LLONG_MAX,
     1 << 30},
    {"daemonize", KIND_BOOL, CONFIG_FIXED, SERVER(is_daemon)},
    {"databases", KIND_INT, CONFIG_FIXED, SERVER(databases), 1, INT_MAX, 16},
    {"dbfilename", KIND_TEXT, CONFIG_PROTECTED, SERVER(snapshot_name), .preset_text = "dump.rdb",
     .check = check_dump_name},
    {"dir", KIND_OWN, CONFIG_PROTECTED | CONFIG_SETTLED, .parse = parse_dir, .format = format_dir},
    {"enable-debug-command", KIND_ENUM, CONFIG_FIXED, SERVER(debug_command), .words = allow_words},
    {"enable-module-command", KIND_ENUM, CONFIG_FIXED, SERVER(module_command), .words = allow_words},
    {"enable-protected-configs", KIND_ENUM, CONFIG_FIXED, SERVER(protected_configs), .words = allow_words},
    {"exit-with-parent", KIND_BOOL, CONFIG_FIXED, SERVER(exit_with_parent)},
    {"hash-max-listpack-entries", KIND_INT, false, SERVER(hash_listpack_entries), 0, LLONG_MAX, 512,
     .alias = "hash-max-ziplist-entries", .applied = apply_hash_limits},
    {"hash-max-listpack-value", KIND_MEMORY, false, SERVER(hash_listpack_value), 0, LLONG_MAX, 64,
     .alias = "hash-max-ziplist-value", .applied = apply_hash_limits},
    {"hll-sparse-max-bytes", KIND_MEMORY, false, ENGINE(hll_sparse_bytes_max), 0, LLONG_MAX, 3000},
    {"hz", KIND_INT, false, SERVER(hz), 0, INT_MAX, 10, .applied = apply_hz},
    {"key-load-delay", KIND_INT, CONFIG_HIDDEN, SERVER(key_load_delay_us), INT_MIN, INT_MAX, 0},
    {"latency-monitor-threshold", KIND_INT, false, ENGINE(latency_threshold_ms), 0, LLONG_MAX, 0,
     .applied = apply_slowness},
    {"latency-tracking", KIND_BOOL, false, ENGINE(is_latency_tracked), .preset = 1},
    {"latency-tracking-info-percentiles", KIND_OWN, CONFIG_WORDS, .preset_text = "50 99 99.9",
     .parse = parse_percentiles, .format = format_percentiles},
    {"lfu-decay-time", KIND_INT, false, STORE(lfu_decay_minutes), 0, INT_MAX, 1},
    {"lfu-log-factor", KIND_INT, false, STORE(lfu_log_factor), 0, INT_MAX, 10},
    {"list-max-listpack-size", KIND_INT, false, SERVER(list_listpack_size), INT_MIN, INT_MAX, -2,
     .alias = "list-max-ziplist-size", .applied = apply_list_size},
    {"loading-process-events-interval-bytes", KIND_INT, CONFIG_HIDDEN, SERVER(load_step_bytes), 1024, INT_MAX,
     2 << 20},
    {"logfile", KIND_TEXT, CONFIG_FIXED, SERVER(log_file), .preset_text = ""},
    {"loglevel", KIND_ENUM, false, SERVER(log_level), .preset = LOG_NOTICE, .words = log_levels,
     .applied = apply_log_level},
    {"maxclients", KIND_INT, false, ENGINE(max_clients), 1, UINT_MAX, 10000,
     .applied = apply_max_clients},
    {"maxmemory", KIND_MEMORY, false, SERVER(memory_limit), 0, LLONG_MAX, 0, .applied = apply_memory_limit},
    {"maxmemory-eviction-tenacity", KIND_INT, false, STORE(eviction_tenacity), 0, 100, 10},
    {"maxmemory-policy", KIND_ENUM, false, STORE(policy), .preset = EVICT_NONE, .words = policies},
    {"maxmemory-samples", KIND_INT, false, STORE(eviction_samples), 1, INT_MAX, 5},
    {"notify-keyspace-events", KIND_OWN, .parse = parse_notify, .format = format_notify},
    {"oom-score-adj", KIND_ENUM, false, SERVER(oom_mode), .words = oom_words, .applied = apply_oom},
    {"oom-score-adj-values", KIND_LIST, false, SERVER(oom_values), .preset_text = "0 200 800",
     .check = check_oom_values, .applied = apply_oom},
    {"pidfile", KIND_TEXT, CONFIG_FIXED, SERVER(pid_file), .preset_text = ""},
    {"port", KIND_INT, false, SERVER(port), 0, 65535, 6379, .applied = apply_port},
    {"port-file", KIND_TEXT, CONFIG_FIXED, SERVER(port_file), .preset_text = ""},
    {"proc-title-template", KIND_TEXT, false, SERVER(title_template),
     .preset_text = "{title} {listen-addr} {server-mode}", .check = proc_title_check, .applied = apply_title},
    {"proto-max-bulk-len", KIND_MEMORY, false, ENGINE(bulk_len_max), 1 << 20, LLONG_MAX, 512 << 20},
    {"protected-mode", KIND_BOOL, false, ENGINE(is_protected_mode), .preset = 1},
    {"rdb-key-save-delay", KIND_INT, CONFIG_HIDDEN, SERVER(key_save_delay_us), INT_MIN, INT_MAX, 0},
    {"rdb-save-incremental-fsync", KIND_BOOL, false, SERVER(syncs_snapshot_often), .preset = 1},
    {"rdbchecksum", KIND_BOOL, CONFIG_FIXED, SERVER(has_snapshot_checksum), .preset = 1},
    {"rdbcompression", KIND_BOOL, false, ENGINE(is_rdb_compressed), .preset = 1},
    {"requirepass", KIND_TEXT, false, SERVER(password), .preset_text = "", .applied = apply_password},
    {"save", KIND_LIST, CONFIG_LINES_ADD, SERVER(save_points), .preset_text = "3600 1 300 100 60 10000",
     .check = check_save, .words_per_line = 2, .applied = apply_save_points},
    {"set-max-intset-entries", KIND_INT, false, SERVER(set_intset_entries), 0, LLONG_MAX, 512,
     .applied = apply_set_limits},
    {"set-max-listpack-entries", KIND_INT, false, SERVER(set_listpack_entries), 0, LLONG_MAX, 128,
     .applied = apply_set_limits},
    {"set-max-listpack-value", KIND_INT, false, SERVER(set_listpack_value), 0, LLONG_MAX, 64,
     .applied = apply_set_limits},
    {"set-proc-title", KIND_BOOL, CONFIG_FIXED, SERVER(sets_title), .preset = 1},
    {"shutdown-on-sigint", KIND_FLAGS, false, SERVER(on_sigint), .words = shutdown_words,
     .check = check_shutdown},
    {"shutdown-on-sigterm", KIND_FLAGS, false, SERVER(on_sigterm), .words = shutdown_words,
     .check = check_shutdown},
    {"slowlog-log-slower-than", KIND_INT, false, ENGINE(slowlog_slower_than_us), -1, LLONG_MAX, 10000,
     .applied = apply_slowness},
    {"slowlog-max-len", KIND_INT, false, ENGINE(slowlog_max_len), 0, LLONG_MAX, 128,
     .applied = apply_slowness},
    {"stop-writes-on-bgsave-error", KIND_BOOL, false, SERVER(stops_writes_on_failure), .preset = 1,
     .applied = apply_save_points},
    {"stream-node-max-bytes", KIND_MEMORY, false, ENGINE(stream_node_max_bytes), 0, LLONG_MAX, 4096},
    {"stream-node-max-entries", KIND_INT, false, ENGINE(stream_node_max_entries), 0, LLONG_MAX, 100},
    {"supervised", KIND_ENUM, CONFIG_FIXED, SERVER(supervised), .preset = SUPERVISED_NO, .words = supervisors},
    {"syslog-enabled", KIND_BOOL, CONFIG_FIXED, SERVER(uses_syslog)},
    {"syslog-facility", KIND_ENUM, CONFIG_FIXED, SERVER(syslog_facility), .preset = 1,
     .words = facilities},
    {"syslog-ident", KIND_TEXT, CONFIG_FIXED, SERVER(syslog_name), .preset_text = "redis"},
    {"tcp-backlog", KIND_INT, CONFIG_FIXED, SERVER(tcp_backlog), 0, INT_MAX, 511},
    {"tcp-keepalive", KIND_INT, false, ENGINE(tcp_keepalive_seconds), 0, INT_MAX, 300},
    {"timeout", KIND_INT, false, ENGINE(idle_timeout_seconds), 0, INT_MAX, 0},
    {"unixsocket", KIND_TEXT, CONFIG_FIXED, SERVER(unix_path), .preset_text = ""},
    {"unixsocketperm", KIND_OCTAL, CONFIG_FIXED, SERVER(unix_permissions), 0, 0777, 0},
    {"zset-max-listpack-entries", KIND_INT, false, SERVER(zset_listpack_entries), 0, LLONG_MAX, 128,
     .alias = "zset-max-ziplist-entries", .applied = apply_zset_limits},
    {"zset-max-listpack-value", KIND_MEMORY, false, SERVER(zset_listpack_value), 0, LLONG_MAX, 64,
     .alias = "zset-max-ziplist-value", .applied = apply_zset_limits},
};

struct config_table config_present(void)
{
    return (struct config_table){rows, sizeof rows / sizeof *rows};
}

/* --- applying ----------------------------------------------------------------------------------------------- */

int config_apply(struct server *server, const struct bytes *args, int argc, struct error *error)
{
    const struct config_row *row = config_find(args[0]);

    if (!row)
        return error_set(error, "Bad directive or wrong number of arguments");
    if (config_parse(server, row, args + 1, argc - 1, true, error) < 0)
        return -1;
    config_note_of(server, row)->was_set = true;
    return row->applied ? row->applied(server, error) : 0;
}
