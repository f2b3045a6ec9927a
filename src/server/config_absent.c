/* Directives of Redis 7.2 whose subject is not here. They are checked as Redis checks them and answer CONFIG GET, and
 * a value that asks for something gets one line in the log. A row whose subject comes moves to config.c. */
#include "config_internal.h"

#include <limits.h>

#define NO_AOF     .lacks = "no write is logged to a file"
#define NO_REPLICA .lacks = "there is no replication"
#define NO_CLUSTER .lacks = "there is no cluster"
#define NO_TLS     .lacks = "connections are not encrypted"
#define NO_CPU     .lacks = "the server runs on any CPU"
#define NO_CRASH   .lacks = "a crash leaves one line in the log"
#define NO_TRACK   .lacks = "clients' keys are not tracked"
#define NO_USERS   .lacks = "there are no users but the default one"
#define NO_DEFRAG  .lacks = "memory is kept together by other means"
#define SLICES     .lacks = "removed values are always freed in slices"
#define EXACT      .lacks = "expiry is always exact"
#define HARMLESS   .lacks = "it changes nothing"

#define BOOL(name, preset_, ...) {name, KIND_BOOL, NOTE, .preset = preset_, __VA_ARGS__}
#define INT(name, min_, max_, preset_, ...) \
    {name, KIND_INT, NOTE, .min = min_, .max = max_, .preset = preset_, __VA_ARGS__}
#define SIZE(name, min_, preset_, ...) \
    {name, KIND_MEMORY, NOTE, .min = min_, .max = LLONG_MAX, .preset = preset_, __VA_ARGS__}
#define TEXT(name, preset_, ...) {name, KIND_TEXT, NOTE, .preset_text = preset_, __VA_ARGS__}
#define WORD(name, preset_, words_, ...) \
    {name, KIND_ENUM, NOTE, .preset = preset_, .words = words_, __VA_ARGS__}
#define FIXED .flags = CONFIG_FIXED

static const struct config_word fsync_words[] = {{"everysec", 0}, {"always", 1}, {"no", 2}, {NULL, 0}};
static const struct config_word load_words[] = {{"disabled", 0}, {"on-empty-db", 1}, {"swapdb", 2}, {NULL, 0}};
static const struct config_word channel_words[] = {{"allchannels", 0}, {"resetchannels", 1}, {NULL, 0}};
static const struct config_word payload_words[] = {{"no", 0}, {"yes", 1}, {"clients", 2}, {NULL, 0}};
static const struct config_word endpoint_words[] = {
    {"ip", 0}, {"hostname", 1}, {"unknown-endpoint", 2}, {NULL, 0}};
static const struct config_word panic_words[] = {
    {"ignore", 0}, {"panic", 1}, {"panic-on-replicas", 2}, {NULL, 0}};
static const struct config_word tls_words[] = {{"no", 0}, {"yes", 1}, {"optional", 2}, {NULL, 0}};

static const struct config_row rows[] = {
    /* snapshots */
    BOOL("rdb-del-sync-files", 0, NO_REPLICA),
    WORD("sanitize-dump-payload", 0, payload_words, .lacks = "what is read is always checked in full"),

    /* the append-only file */
    BOOL("appendonly", 0, NO_AOF),
    TEXT("appendfilename", "appendonly.aof", .check = check_append_name, NO_AOF, FIXED),
    TEXT("appenddirname", "appendonlydir", .check = check_append_dir, NO_AOF, FIXED),
    WORD("appendfsync", 0, fsync_words, NO_AOF),
    BOOL("no-appendfsync-on-rewrite", 0, NO_AOF),
    BOOL("aof-load-truncated", 1, NO_AOF),
    BOOL("aof-use-rdb-preamble", 1, NO_AOF),
    BOOL("aof-timestamp-enabled", 0, NO_AOF),
    BOOL("aof-rewrite-incremental-fsync", 1, NO_AOF),
    BOOL("aof-disable-auto-gc", 0, NO_AOF),
    INT("auto-aof-rewrite-percentage", 0, INT_MAX, 100, NO_AOF),
    SIZE("auto-aof-rewrite-min-size", 0, 64 << 20, NO_AOF),

    /* memory */
    {"maxmemory-clients", KIND_PERCENT, 0, NOTE, 0, LLONG_MAX, 0, .lacks = "clients' memory has no limit in sum"},
    BOOL("lazyfree-lazy-eviction", 0, SLICES),
    BOOL("lazyfree-lazy-expire", 0, SLICES),
    BOOL("lazyfree-lazy-server-del", 0, SLICES),
    BOOL("lazyfree-lazy-user-del", 0, SLICES),
    BOOL("lazyfree-lazy-user-flush", 0, .lacks = "FLUSHALL and FLUSHDB wait until all is freed unless ASYNC is given"),
    INT("active-expire-effort", 1, 10, 1, EXACT),
    BOOL("activerehashing", 1, .lacks = "tables are always resized in slices"),
    BOOL("activedefrag", 0, NO_DEFRAG),
    SIZE("active-defrag-ignore-bytes", 1, 100 << 20, NO_DEFRAG),
    INT("active-defrag-threshold-lower", 0, 1000, 10, NO_DEFRAG),
    INT("active-defrag-threshold-upper", 0, 1000, 100, NO_DEFRAG),
    INT("active-defrag-cycle-min", 1, 99, 1, NO_DEFRAG),
    INT("active-defrag-cycle-max", 1, 99, 25, NO_DEFRAG),
    INT("active-defrag-max-scan-fields", 1, LLONG_MAX, 1000, NO_DEFRAG),
    BOOL("jemalloc-bg-thread", 1, HARMLESS),

    /* encodings */
    INT("list-compress-depth", 0, INT_MAX, 0, .lacks = "blocks of a list are never compressed"),

    /* replication */
    {"replicaof", KIND_LIST, CONFIG_FIXED, NOTE, .check = check_master, .alias = "slaveof", NO_REPLICA},
    TEXT("masterauth", "", NO_REPLICA),
    TEXT("masteruser", "", NO_REPLICA),
    BOOL("replica-serve-stale-data", 1, NO_REPLICA, .alias = "slave-serve-stale-data"),
    BOOL("replica-read-only", 1, NO_REPLICA, .alias = "slave-read-only"),
    BOOL("replica-lazy-flush", 0, NO_REPLICA, .alias = "slave-lazy-flush"),
    BOOL("replica-ignore-maxmemory", 1, NO_REPLICA, .alias = "slave-ignore-maxmemory"),
    BOOL("replica-ignore-disk-write-errors", 0, NO_REPLICA),
    BOOL("replica-announced", 1, NO_REPLICA),
    TEXT("replica-announce-ip", "", NO_REPLICA, .alias = "slave-announce-ip"),
    INT("replica-announce-port", 0, 65535, 0, NO_REPLICA, .alias = "slave-announce-port"),
    INT("replica-priority", 0, INT_MAX, 100, NO_REPLICA, .alias = "slave-priority"),
    INT("repl-timeout", 1, INT_MAX, 60, NO_REPLICA),
    INT("repl-ping-replica-period", 1, INT_MAX, 10, NO_REPLICA, .alias = "repl-ping-slave-period"),
    SIZE("repl-backlog-size", 1, 1 << 20, NO_REPLICA),
    INT("repl-backlog-ttl", 0, LLONG_MAX, 3600, NO_REPLICA),
    BOOL("repl-disable-tcp-nodelay", 0, NO_REPLICA),
    BOOL("repl-diskless-sync", 1, NO_REPLICA),
    INT("repl-diskless-sync-delay", 0, INT_MAX, 5, NO_REPLICA),
    INT("repl-diskless-sync-max-replicas", 0, INT_MAX, 0, NO_REPLICA),
    WORD("repl-diskless-load", 0, load_words, NO_REPLICA),
    INT("min-replicas-to-write", 0, INT_MAX, 0, NO_REPLICA, .alias = "min-slaves-to-write"),
    INT("min-replicas-max-lag", 0, INT_MAX, 10, NO_REPLICA, .alias = "min-slaves-max-lag"),
    WORD("propagation-error-behavior", 0, panic_words, NO_REPLICA),
    INT("shutdown-timeout", 0, INT_MAX, 10, NO_REPLICA),

    /* cluster */
    BOOL("cluster-enabled", 0, NO_CLUSTER, FIXED),
    TEXT("cluster-config-file", "nodes.conf", NO_CLUSTER, FIXED),
    INT("cluster-port", 0, 65535, 0, NO_CLUSTER, FIXED),
    TEXT("cluster-announce-ip", "", NO_CLUSTER),
    TEXT("cluster-announce-hostname", "", .check = check_host_name, NO_CLUSTER),
    TEXT("cluster-announce-human-nodename", "", .check = check_node_name, NO_CLUSTER),
    INT("cluster-announce-port", 0, 65535, 0, NO_CLUSTER),
    INT("cluster-announce-bus-port", 0, 65535, 0, NO_CLUSTER),
    INT("cluster-announce-tls-port", 0, 65535, 0, NO_CLUSTER),
    INT("cluster-node-timeout", 0, LLONG_MAX, 15000, NO_CLUSTER),
    INT("cluster-migration-barrier", 0, INT_MAX, 1, NO_CLUSTER),
    INT("cluster-replica-validity-factor", 0, INT_MAX, 10, NO_CLUSTER, .alias = "cluster-slave-validity-factor"),
    BOOL("cluster-replica-no-failover", 0, NO_CLUSTER, .alias = "cluster-slave-no-failover"),
    BOOL("cluster-require-full-coverage", 1, NO_CLUSTER),
    BOOL("cluster-allow-reads-when-down", 0, NO_CLUSTER),
    BOOL("cluster-allow-pubsubshard-when-down", 1, NO_CLUSTER),
    BOOL("cluster-allow-replica-migration", 1, NO_CLUSTER),
    SIZE("cluster-link-sendbuf-limit", 0, 0, NO_CLUSTER),
    WORD("cluster-preferred-endpoint-type", 0, endpoint_words, NO_CLUSTER),
    {"cluster-ping-interval", KIND_INT, CONFIG_HIDDEN, NOTE, 0, LLONG_MAX, 1000, NO_CLUSTER},

    /* TLS */
    INT("tls-port", 0, 65535, 0, NO_TLS),
    TEXT("tls-cert-file", "", NO_TLS),
    TEXT("tls-key-file", "", NO_TLS),
    TEXT("tls-key-file-pass", "", NO_TLS),
    TEXT("tls-client-cert-file", "", NO_TLS),
    TEXT("tls-client-key-file", "", NO_TLS),
    TEXT("tls-client-key-file-pass", "", NO_TLS),
    TEXT("tls-dh-params-file", "", NO_TLS),
    TEXT("tls-ca-cert-file", "", NO_TLS),
    TEXT("tls-ca-cert-dir", "", NO_TLS),
    TEXT("tls-protocols", "", NO_TLS),
    TEXT("tls-ciphers", "", NO_TLS),
    TEXT("tls-ciphersuites", "", NO_TLS),
    WORD("tls-auth-clients", 1, tls_words, NO_TLS),
    BOOL("tls-replication", 0, NO_TLS),
    BOOL("tls-cluster", 0, NO_TLS),
    BOOL("tls-prefer-server-ciphers", 0, NO_TLS),
    BOOL("tls-session-caching", 1, NO_TLS),
    INT("tls-session-cache-size", 0, INT_MAX, 20480, NO_TLS),
    INT("tls-session-cache-timeout", 0, INT_MAX, 300, NO_TLS),

    /* users, scripts, what is watched */
    TEXT("aclfile", "", .check = check_users_file, FIXED, NO_USERS),
    INT("acllog-max-len", 0, LLONG_MAX, 128, NO_USERS),
    WORD("acl-pubsub-default", 1, channel_words, NO_USERS),
    INT("tracking-table-max-keys", 0, LLONG_MAX, 1000000, NO_TRACK),

    /* the process and the machine */
    INT("io-threads", 1, 128, 1, FIXED, .lacks = "one thread serves all clients"),
    BOOL("io-threads-do-reads", 0, FIXED, .lacks = "one thread serves all clients"),
    TEXT("server-cpulist", "", FIXED, NO_CPU, .alias = "server_cpulist"),
    TEXT("bio-cpulist", "", FIXED, NO_CPU, .alias = "bio_cpulist"),
    TEXT("aof-rewrite-cpulist", "", FIXED, NO_CPU, .alias = "aof_rewrite_cpulist"),
    TEXT("bgsave-cpulist", "", FIXED, NO_CPU, .alias = "bgsave_cpulist"),
    BOOL("dynamic-hz", 1, .lacks = "hz stays what it is"),
    BOOL("disable-thp", 1, FIXED, .lacks = "huge pages are used where they help"),
    BOOL("crash-log-enabled", 1, NO_CRASH),
    BOOL("crash-memcheck-enabled", 1, NO_CRASH),
    {"use-exit-on-panic", KIND_BOOL, CONFIG_HIDDEN, NOTE, HARMLESS},
    {"watchdog-period", KIND_INT, CONFIG_HIDDEN, NOTE, 0, INT_MAX, 0, NO_CRASH},
    TEXT("ignore-warnings", "", HARMLESS),
    TEXT("bind-source-addr", "", .lacks = "the server makes no connections"),
    INT("socket-mark-id", 0, UINT_MAX, 0, FIXED, .lacks = "sockets are not marked"),
    TEXT("locale-collate", "", .check = check_locale, .lacks = "texts are compared byte by byte"),
};

struct config_table config_absent(void)
{
    return (struct config_table){rows, sizeof rows / sizeof *rows};
}
