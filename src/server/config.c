/* The configuration: one row for each directive, applied from file, command line and CONFIG SET alike.
 *
 * A row says where the value lives (settings live in the module that uses them), how it is parsed and
 * printed, and whether it may change while the server runs. */
#include "server_internal.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/numbers.h"
#include "engine/notify.h"
#include "types/hash_value.h"
#include "types/list.h"
#include "types/set.h"
#include "types/zset.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define BIND_TEXT_MAX 4096 /* what listening on the addresses has room for */

enum config_kind { KIND_BOOL, KIND_INT, KIND_MEMORY, KIND_TEXT, KIND_ENUM, KIND_OWN };
enum config_place { IN_SERVER, IN_ENGINE, IN_STORE };

struct config_word {
    const char *word;
    int value;
};

struct config_row {
    const char *name;
    enum config_kind kind;
    bool is_fixed; /* only at start */
    enum config_place place;
    size_t offset;
    int64_t min, max, preset;
    const char *preset_text;
    const struct config_word *words;
    /* KIND_OWN: both; others: 'applied' is told of a change, and has undone it when it fails */
    int (*parse)(struct server *server, const struct bytes *args, int argc, struct error *error);
    void (*format)(const struct server *server, struct text *out);
    int (*applied)(struct server *server, struct error *error);
};

/* --- where values live ------------------------------------------------------------------------------ */

static void *place_of(const struct server *server, const struct config_row *row)
{
    const char *base = (const char *)&server->settings;

    if (row->place == IN_ENGINE)
        base = (const char *)(server->engine ? &server->engine->settings : &server->staged);
    else if (row->place == IN_STORE)
        base = (const char *)(server->store ? &server->store->settings : &server->staged_store);
    return (void *)(base + row->offset);
}

void config_set_text(char **place, struct bytes text)
{
    if (*place)
        mem_free(*place, strlen(*place) + 1);
    *place = mem_alloc(text.len + 1);
    if (text.len)
        memcpy(*place, text.data, text.len);
    (*place)[text.len] = '\0';
}

/* Texts are kept as C strings. */
static bool holds_zero(struct bytes text)
{
    return text.len && memchr(text.data, '\0', text.len);
}

/* --- rows with ways of their own --------------------------------------------------------------------- */

static int change_bind(struct server *server, struct bytes addresses, struct error *error)
{
    char *old = server->settings.bind;
    int outcome = 0;

    server->settings.bind = NULL;
    config_set_text(&server->settings.bind, addresses);
    if (server->engine && server_listen_again(server, old, error) < 0)
        outcome = error_set(error, "Failed to bind to specified addresses.");
    if (old)
        mem_free(old, strlen(old) + 1);
    return outcome;
}

static int parse_bind(struct server *server, const struct bytes *args, int argc, struct error *error)
{
    struct bytes words[BIND_MAX];
    char buffer[BIND_TEXT_MAX];
    struct text joined = {0};
    int outcome;

    for (int i = 0; i < argc; i++) {
        if (i)
            text_add(&joined, BYTES(" "));
        text_add(&joined, args[i]);
    }
    if (joined.len >= BIND_TEXT_MAX || holds_zero(text_bytes(&joined)))
        outcome = error_set(error, "Invalid bind addresses.");
    else if (config_split(text_bytes(&joined), buffer, words, BIND_MAX) < 0)
        outcome = error_set(error, "Too many bind addresses specified.");
    else
        outcome = change_bind(server, text_bytes(&joined), error);
    text_release(&joined);
    return outcome;
}

static void format_bind(const struct server *server, struct text *out)
{
    text_add(out, bytes_from_string(server->settings.bind));
}

static const struct config_word class_words[] = {
    {"normal", CLIENT_NORMAL}, {"replica", CLIENT_REPLICA}, {"slave", CLIENT_REPLICA},
    {"pubsub", CLIENT_PUBSUB}, {NULL, 0},
};

static int word_value(const struct config_word *words, struct bytes text)
{
    for (; words->word; words++)
        if (bytes_is(text, words->word))
            return words->value;
    return -1;
}

/* Groups of four: class, hard limit, soft limit, soft seconds. */
static int parse_output_limits(struct server *server, const struct bytes *args, int argc,
                               struct error *error)
{
    struct engine_settings *settings = server->engine ? &server->engine->settings : &server->staged;
    struct output_limit limits[CLIENT_CLASSES];
    char buffer[1024];
    struct bytes words[CONFIG_ARGS_MAX];

    if (argc == 1) { /* CONFIG SET gives all groups as one text */
        if (args[0].len > sizeof buffer)
            return error_set(error, "Wrong number of arguments");
        argc = config_split(args[0], buffer, words, CONFIG_ARGS_MAX);
        args = words;
    }
    memcpy(limits, settings->output_limits, sizeof limits);
    if (argc <= 0 || argc % 4)
        return error_set(error, "Wrong number of arguments in buffer limit configuration.");
    for (int i = 0; i < argc; i += 4) {
        int class = word_value(class_words, args[i]);
        struct output_limit *limit;

        if (class < 0)
            return error_set(error, "Invalid client class specified in buffer limit configuration.");
        limit = &limits[class];
        if (!memory_size_parse(args[i + 1], &limit->hard_bytes) ||
            !memory_size_parse(args[i + 2], &limit->soft_bytes) ||
            !int64_parse(args[i + 3], &limit->soft_seconds) || limit->soft_seconds < 0)
            return error_set(error, "Error in hard, soft or soft_seconds setting in buffer limit "
                                    "configuration.");
    }
    memcpy(settings->output_limits, limits, sizeof limits);
    return 0;
}

static void format_output_limits(const struct server *server, struct text *out)
{
    static const char *const names[] = {"normal", "slave", "pubsub"};
    const struct engine_settings *settings =
        server->engine ? &server->engine->settings : &server->staged;

    for (int i = 0; i < CLIENT_CLASSES; i++) {
        const struct output_limit *limit = &settings->output_limits[i];

        text_format(out, "%s%s %llu %llu %lld", i ? " " : "", names[i],
                    (unsigned long long)limit->hard_bytes, (unsigned long long)limit->soft_bytes,
                    (long long)limit->soft_seconds);
    }
}

static int parse_notify(struct server *server, const struct bytes *args, int argc, struct error *error)
{
    struct engine_settings *settings = server->engine ? &server->engine->settings : &server->staged;

    if (argc == 1 && notify_parse(args[0], &settings->notify_classes))
        return 0;
    return error_set(error, "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
}

static void format_notify(const struct server *server, struct text *out)
{
    char classes[NOTIFY_TEXT_MAX];

    notify_format((server->engine ? &server->engine->settings : &server->staged)->notify_classes,
                  classes);
    text_add(out, bytes_from_string(classes));
}

static int parse_permissions(struct server *server, const struct bytes *args, int argc,
                             struct error *error)
{
    int64_t value = 0;

    for (size_t i = 0; argc == 1 && i < args[0].len; i++) {
        if (args[0].data[i] < '0' || args[0].data[i] > '7' || value > 0777)
            return error_set(error, "argument couldn't be parsed into an integer");
        value = value * 8 + (args[0].data[i] - '0');
    }
    if (argc != 1 || value > 0777)
        return error_set(error, "argument must be between 0 and 777 inclusive");
    server->settings.unix_permissions = value;
    return 0;
}

static void format_permissions(const struct server *server, struct text *out)
{
    text_format(out, "%llo", (unsigned long long)server->settings.unix_permissions);
}

/* --- what follows a change ------------------------------------------------------------------------------ */

static int apply_log_level(struct server *server, struct error *error)
{
    log_set_level((enum log_level)server->settings.log_level);
    return 0;
}

static int apply_max_clients(struct server *server, struct error *error)
{
    if (server->engine)
        server_fit_descriptors(server);
    return 0;
}

static int apply_slowness(struct server *server, struct error *error)
{
    if (server->engine)
        engine_settings_changed(server->engine);
    return 0;
}

static int parse_percentiles(struct server *server, const struct bytes *args, int argc,
                             struct error *error)
{
    struct percentiles parsed = {0};
    char buffer[256];
    struct bytes words[PERCENTILES_MAX];

    if (argc == 1) { /* CONFIG SET gives all in one */
        if (args[0].len > sizeof buffer)
            return error_set(error, "Invalid latency tracking percentiles");
        argc = config_split(args[0], buffer, words, PERCENTILES_MAX);
        args = words;
    }
    for (int i = 0; i < argc; i++) {
        double value;

        if (i == PERCENTILES_MAX || !double_parse(args[i], &value) || value < 0 || value > 100)
            return error_set(error, "The percentiles should contain values between 0.0 and 100.0");
        parsed.values[parsed.count++] = value;
    }
    server->settings.percentiles = parsed;
    return 0;
}

static void format_percentiles(const struct server *server, struct text *out)
{
    const struct percentiles *percentiles = &server->settings.percentiles;

    for (int i = 0; i < percentiles->count; i++) {
        char text[DOUBLE_TEXT_MAX];
        int len = (int)double_format(text, percentiles->values[i]);

        text_format(out, "%s%.*s", i ? " " : "", len, text);
    }
}

static int apply_port(struct server *server, struct error *error)
{
    if (server->engine && server_listen_again(server, NULL, error) < 0)
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

/* --- the table -------------------------------------------------------------------------------------------- */

static const struct config_word log_levels[] = {
    {"debug", LOG_DEBUG},     {"verbose", LOG_VERBOSE}, {"notice", LOG_NOTICE},
    {"warning", LOG_WARNING}, {"nothing", LOG_NOTHING}, {NULL, 0},
};
static const struct config_word debug_words[] = {
    {"no", DEBUG_NO}, {"yes", DEBUG_YES}, {"local", DEBUG_LOCAL}, {NULL, 0},
};
static const struct config_word policies[] = {
    {"volatile-lru", EVICT_VOLATILE_LRU},       {"volatile-lfu", EVICT_VOLATILE_LFU},
    {"volatile-random", EVICT_VOLATILE_RANDOM}, {"volatile-ttl", EVICT_VOLATILE_TTL},
    {"allkeys-lru", EVICT_ALLKEYS_LRU},         {"allkeys-lfu", EVICT_ALLKEYS_LFU},
    {"allkeys-random", EVICT_ALLKEYS_RANDOM},   {"noeviction", EVICT_NONE},
    {NULL, 0},
};

#define SERVER(field) .place = IN_SERVER, .offset = offsetof(struct server_settings, field)
#define ENGINE(field) .place = IN_ENGINE, .offset = offsetof(struct engine_settings, field)
#define STORE(field)  .place = IN_STORE, .offset = offsetof(struct store_settings, field)

static const struct config_row rows[] = {
    {"bind", KIND_OWN, .preset_text = "* -::*", .parse = parse_bind, .format = format_bind},
    {"client-output-buffer-limit", KIND_OWN, .parse = parse_output_limits,
     .format = format_output_limits},
    {"client-query-buffer-limit", KIND_MEMORY, false, ENGINE(input_bytes_max), 1 << 20, LLONG_MAX,
     1 << 30},
    {"databases", KIND_INT, true, SERVER(databases), 1, INT_MAX, 16},
    {"dir", KIND_TEXT, true, SERVER(dir), .preset_text = "."},
    {"enable-debug-command", KIND_ENUM, true, SERVER(debug_command), .preset = DEBUG_NO,
     .words = debug_words},
    {"exit-with-parent", KIND_BOOL, true, SERVER(exit_with_parent)},
    {"hash-max-listpack-entries", KIND_INT, false, SERVER(hash_listpack_entries), 0, LLONG_MAX, 512,
     .applied = apply_hash_limits},
    {"hash-max-listpack-value", KIND_MEMORY, false, SERVER(hash_listpack_value), 0, LLONG_MAX, 64,
     .applied = apply_hash_limits},
    {"hll-sparse-max-bytes", KIND_MEMORY, false, ENGINE(hll_sparse_bytes_max), 0, LLONG_MAX, 3000},
    {"hz", KIND_INT, false, SERVER(hz), 1, 500, 10},
    {"latency-monitor-threshold", KIND_INT, false, ENGINE(latency_threshold_ms), 0, LLONG_MAX, 0,
     .applied = apply_slowness},
    {"latency-tracking", KIND_BOOL, false, ENGINE(is_latency_tracked), .preset = 1},
    {"latency-tracking-info-percentiles", KIND_OWN, .preset_text = "50 99 99.9",
     .parse = parse_percentiles, .format = format_percentiles},
    {"lfu-decay-time", KIND_INT, false, STORE(lfu_decay_minutes), 0, INT_MAX, 1},
    {"lfu-log-factor", KIND_INT, false, STORE(lfu_log_factor), 0, INT_MAX, 10},
    {"list-compress-depth", KIND_INT, false, SERVER(list_compress_depth), 0, INT_MAX, 0},
    {"list-max-listpack-size", KIND_INT, false, SERVER(list_listpack_size), INT_MIN, INT_MAX, -2,
     .applied = apply_list_size},
    {"logfile", KIND_TEXT, true, SERVER(log_file), .preset_text = ""},
    {"loglevel", KIND_ENUM, false, SERVER(log_level), .preset = LOG_NOTICE, .words = log_levels,
     .applied = apply_log_level},
    {"maxclients", KIND_INT, false, ENGINE(max_clients), 1, INT_MAX, 10000,
     .applied = apply_max_clients},
    {"maxmemory-policy", KIND_ENUM, false, STORE(policy), .preset = EVICT_NONE, .words = policies},
    {"notify-keyspace-events", KIND_OWN, .parse = parse_notify, .format = format_notify},
    {"port", KIND_INT, false, SERVER(port), 0, 65535, 6379, .applied = apply_port},
    {"port-file", KIND_TEXT, true, SERVER(port_file), .preset_text = ""},
    {"proto-max-bulk-len", KIND_MEMORY, false, ENGINE(bulk_len_max), 1 << 20, LLONG_MAX, 512 << 20},
    {"protected-mode", KIND_BOOL, false, ENGINE(is_protected_mode), .preset = 1},
    {"requirepass", KIND_TEXT, false, SERVER(password), .preset_text = "", .applied = apply_password},
    {"slowlog-log-slower-than", KIND_INT, false, ENGINE(slowlog_slower_than_us), -1, LLONG_MAX, 10000,
     .applied = apply_slowness},
    {"slowlog-max-len", KIND_INT, false, ENGINE(slowlog_max_len), 0, LONG_MAX, 128,
     .applied = apply_slowness},
    {"set-max-intset-entries", KIND_INT, false, SERVER(set_intset_entries), 0, LLONG_MAX, 512,
     .applied = apply_set_limits},
    {"set-max-listpack-entries", KIND_INT, false, SERVER(set_listpack_entries), 0, LLONG_MAX, 128,
     .applied = apply_set_limits},
    {"set-max-listpack-value", KIND_INT, false, SERVER(set_listpack_value), 0, LLONG_MAX, 64,
     .applied = apply_set_limits},
    {"stream-node-max-bytes", KIND_MEMORY, false, ENGINE(stream_node_max_bytes), 0, LLONG_MAX, 4096},
    {"stream-node-max-entries", KIND_INT, false, ENGINE(stream_node_max_entries), 0, LLONG_MAX, 100},
    {"tcp-backlog", KIND_INT, true, SERVER(tcp_backlog), 0, INT_MAX, 511},
    {"tcp-keepalive", KIND_INT, false, ENGINE(tcp_keepalive_seconds), 0, INT_MAX, 300},
    {"timeout", KIND_INT, false, ENGINE(idle_timeout_seconds), 0, INT_MAX, 0},
    {"unixsocket", KIND_TEXT, true, SERVER(unix_path), .preset_text = ""},
    {"unixsocketperm", KIND_OWN, true, .parse = parse_permissions, .format = format_permissions},
    {"zset-max-listpack-entries", KIND_INT, false, SERVER(zset_listpack_entries), 0, LLONG_MAX, 128,
     .applied = apply_zset_limits},
    {"zset-max-listpack-value", KIND_MEMORY, false, SERVER(zset_listpack_value), 0, LLONG_MAX, 64,
     .applied = apply_zset_limits},
    {"zset-max-ziplist-entries", KIND_INT, false, SERVER(zset_listpack_entries), 0, LLONG_MAX, 128,
     .applied = apply_zset_limits},
    {"zset-max-ziplist-value", KIND_MEMORY, false, SERVER(zset_listpack_value), 0, LLONG_MAX, 64,
     .applied = apply_zset_limits},
};
#define ROWS (sizeof rows / sizeof *rows)

/* Known to Redis, asked for by stock files and scripts, without a subject here yet: accepted with one
 * warning unless the value asks for nothing. */
static const struct {
    const char *name, *nothing, *consequence;
} absent[] = {
    {"save", "", "no snapshot is written"},
    {"appendonly", "no", "no write is logged to a file"},
    {"maxmemory", "0", "memory has no limit"},
    {"daemonize", "no", "the server stays in the foreground"},
    {"always-show-logo", "no", "no banner is shown"},
    {"io-threads", "1", "one thread serves all clients"},
};
#define ABSENT (sizeof absent / sizeof *absent)

static const struct config_row *row_find(struct bytes name)
{
    for (size_t i = 0; i < ROWS; i++)
        if (bytes_is(name, rows[i].name))
            return &rows[i];
    return NULL;
}

size_t config_count(void) { return ROWS + ABSENT; }
const char *config_name(size_t at) { return at < ROWS ? rows[at].name : absent[at - ROWS].name; }

/* --- parsing ------------------------------------------------------------------------------------------------ */

/* int64_t and int settings share rows: the size follows from the place. */
static void store_int(const struct server *server, const struct config_row *row, int64_t value)
{
    void *place = place_of(server, row);

    if (row->place == IN_STORE || row->kind == KIND_ENUM)
        *(int *)place = (int)value;
    else
        *(int64_t *)place = value;
}

static int64_t load_int(const struct server *server, const struct config_row *row)
{
    const void *place = place_of(server, row);

    if (row->place == IN_STORE || row->kind == KIND_ENUM)
        return *(const int *)place;
    return *(const int64_t *)place;
}

static int parse_int(struct server *server, const struct config_row *row, struct bytes text,
                     struct error *error)
{
    uint64_t memory;
    int64_t value;

    if (row->kind == KIND_MEMORY) {
        if (!memory_size_parse(text, &memory) || memory > INT64_MAX)
            return error_set(error, "argument must be a memory value");
        value = (int64_t)memory;
    } else if (!int64_parse(text, &value)) {
        return error_set(error, "argument couldn't be parsed into an integer");
    }
    if (value < row->min || value > row->max)
        return error_set(error, "argument must be between %lld and %lld inclusive",
                         (long long)row->min, (long long)row->max);
    store_int(server, row, value);
    return 0;
}

static int parse_enum(struct server *server, const struct config_row *row, struct bytes text,
                      struct error *error)
{
    int value = word_value(row->words, text);
    struct text all = {0};

    if (value >= 0) {
        store_int(server, row, value);
        return 0;
    }
    for (const struct config_word *word = row->words; word->word; word++)
        text_format(&all, "%s%s", all.len ? ", " : "", word->word);
    error_set(error, "argument(s) must be one of the following: %.*s", (int)all.len, all.data);
    text_release(&all);
    return -1;
}

static int parse_bool(struct server *server, const struct config_row *row, struct bytes text,
                      struct error *error)
{
    bool is_yes = bytes_is(text, "yes");

    if (!is_yes && !bytes_is(text, "no"))
        return error_set(error, "argument must be 'yes' or 'no'");
    *(bool *)place_of(server, row) = is_yes;
    return 0;
}

static int parse_row(struct server *server, const struct config_row *row, const struct bytes *args,
                     int argc, struct error *error)
{
    if (row->kind == KIND_OWN)
        return row->parse(server, args, argc, error);
    if (argc != 1)
        return error_set(error, "wrong number of arguments");
    switch (row->kind) {
    case KIND_BOOL:
        return parse_bool(server, row, args[0], error);
    case KIND_ENUM:
        return parse_enum(server, row, args[0], error);
    case KIND_TEXT:
        if (holds_zero(args[0]))
            return error_set(error, "argument must not contain a zero byte");
        config_set_text(place_of(server, row), args[0]);
        return 0;
    default:
        return parse_int(server, row, args[0], error);
    }
}

/* A directive that is known but has no subject here: a stock file must not stop a start, but CONFIG SET
 * says what cannot be had. */
static int apply_absent(const struct bytes *args, int argc, bool at_start, struct error *error)
{
    for (size_t i = 0; i < ABSENT; i++) {
        if (!bytes_is(args[0], absent[i].name))
            continue;
        if (argc < 2 || bytes_is(args[1], absent[i].nothing))
            return 0;
        if (!at_start)
            return error_set(error, "not supported yet: %s", absent[i].consequence);
        log_write(LOG_WARNING, "%s: not supported yet, %s", absent[i].name, absent[i].consequence);
        return 0;
    }
    return error_set(error, "Bad directive or wrong number of arguments");
}

int config_apply(struct server *server, const struct bytes *args, int argc, bool at_start,
                 struct error *error)
{
    const struct config_row *row = row_find(args[0]);

    if (!row)
        return apply_absent(args, argc, at_start, error);
    if (row->is_fixed && !at_start)
        return error_set(error, "can't set immutable config");
    if (parse_row(server, row, args + 1, argc - 1, error) < 0)
        return -1;
    return row->applied ? row->applied(server, error) : 0;
}

/* --- printing ------------------------------------------------------------------------------------------------ */

void config_format(const struct server *server, size_t at, struct text *out)
{
    const struct config_row *row;

    if (at >= ROWS) {
        text_add(out, bytes_from_string(absent[at - ROWS].nothing));
        return;
    }
    row = &rows[at];
    switch (row->kind) {
    case KIND_OWN:
        row->format(server, out);
        break;
    case KIND_BOOL:
        text_format(out, "%s", *(bool *)place_of(server, row) ? "yes" : "no");
        break;
    case KIND_TEXT:
        text_format(out, "%s", *(char **)place_of(server, row));
        break;
    case KIND_ENUM:
        for (const struct config_word *word = row->words; word->word; word++)
            if (word->value == load_int(server, row))
                text_format(out, "%s", word->word);
        break;
    default:
        text_format(out, "%lld", (long long)load_int(server, row));
        break;
    }
}

void config_format_name(const struct server *server, const char *name, struct text *out)
{
    for (size_t at = 0; at < ROWS; at++)
        if (!strcmp(rows[at].name, name))
            config_format(server, at, out);
}

/* --- beginning and end ----------------------------------------------------------------------------------------- */

void config_set_defaults(struct server *server)
{
    struct error error;

    server->staged = (struct engine_settings){
        .output_limits = {[CLIENT_REPLICA] = {256u << 20, 64u << 20, 60},
                          [CLIENT_PUBSUB] = {32u << 20, 8u << 20, 60}},
        .password = ""};
    for (size_t i = 0; i < ROWS; i++) {
        const struct config_row *row = &rows[i];

        if (row->kind == KIND_TEXT)
            config_set_text(place_of(server, row), bytes_from_string(row->preset_text));
        else if (row->kind == KIND_BOOL)
            *(bool *)place_of(server, row) = row->preset != 0;
        else if (row->kind != KIND_OWN)
            store_int(server, row, row->preset);
    }
    parse_bind(server, (struct bytes[]){BYTES("*"), BYTES("-::*")}, 2, &error);
    parse_percentiles(server, (struct bytes[]){BYTES("50"), BYTES("99"), BYTES("99.9")}, 3, &error);
}

void config_release(struct server *server)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].kind == KIND_TEXT) {
            char **place = place_of(server, &rows[i]);

            mem_free(*place, strlen(*place) + 1);
            *place = NULL;
        }
    mem_free(server->settings.bind, strlen(server->settings.bind) + 1);
    if (server->settings.config_file)
        mem_free(server->settings.config_file, strlen(server->settings.config_file) + 1);
}
