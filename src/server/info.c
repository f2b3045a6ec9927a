/* INFO: a function for each section, a table of sections. */
#include "info_internal.h"

#include "engine/blocking.h"
#include "engine/multi.h"
#include "engine/version.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>


/* As many lines as there are ways to connect. */
static void write_listeners(const struct server *server, struct text *out)
{
    const char *at = server->settings.bind;
    int count = 0;

    if (server->listener_count) {
        text_format(out, "listener%d:name=tcp", count++);
        while (*at) {
            size_t len = strcspn(at, " ");

            text_format(out, ",bind=%.*s", (int)len, at);
            at += len + (at[len] == ' ');
        }
        text_format(out, ",port=%lld\r\n", (long long)server->listening_port);
    }
    if (*server->settings.unix_path)
        text_format(out, "listener%d:name=unix,bind=%s\r\n", count, server->settings.unix_path);
}

static void write_server(struct server *server, struct text *out)
{
    int64_t uptime = (clock_now_ms(&server->clock) - server->started_ms) / 1000;
    char executable[4096] = "";
    struct utsname name;

    uname(&name);
    if (readlink("/proc/self/exe", executable, sizeof executable - 1) < 0)
        *executable = '\0';
    text_format(out,
                "redis_version:%s\r\nredis_git_sha1:00000000\r\nredis_git_dirty:0\r\n"
                "redis_build_id:0\r\nredis_mode:standalone\r\ntern_version:%s\r\n"
                "os:%s %s %s\r\narch_bits:64\r\nmonotonic_clock:%s\r\n"
                "multiplexing_api:epoll\r\natomicvar_api:none\r\ngcc_version:%d.%d.%d\r\n"
                "process_id:%d\r\nprocess_supervised:%s\r\nrun_id:%s\r\ntcp_port:%lld\r\n"
                "server_time_usec:%lld\r\nuptime_in_seconds:%lld\r\nuptime_in_days:%lld\r\n"
                "hz:%lld\r\nconfigured_hz:%lld\r\nlru_clock:%u\r\nexecutable:%s\r\n"
                "config_file:%s\r\nio_threads_active:0\r\n",
                REDIS_VERSION, TERN_VERSION, name.sysname, name.release, name.machine, clock_work_source(), __GNUC__,
                __GNUC_MINOR__, __GNUC_PATCHLEVEL__, (int)getpid(), daemon_supervisor(server), server->run_id,
                (long long)server->settings.port, (long long)clock_now_us(&server->clock),
                (long long)uptime, (long long)uptime / 86400, (long long)server->settings.hz,
                (long long)server->settings.hz, server->store->access_now, executable,
                server->settings.config_file ? server->settings.config_file : "");
    write_listeners(server, out);
}

static void write_clients(struct server *server, struct text *out)
{
    const struct engine *engine = server->engine;
    size_t pubsub = 0, watching = 0;

    for (const struct client *client = engine->clients_first; client; client = client->next) {
        pubsub += client_class_of(client) == CLIENT_PUBSUB;
        watching += multi_watched(client) != 0;
    }
    text_format(out,
                "connected_clients:%zu\r\ncluster_connections:0\r\nmaxclients:%lld\r\n"
                "client_recent_max_input_buffer:%zu\r\nclient_recent_max_output_buffer:%zu\r\n"
                "blocked_clients:%zu\r\ntracking_clients:0\r\npubsub_clients:%zu\r\n"
                "watching_clients:%zu\r\nclients_in_timeout_table:%zu\r\ntotal_watched_keys:%zu\r\n"
                "total_blocking_keys:%zu\r\ntotal_blocking_keys_on_nokey:0\r\n",
                engine->client_count, (long long)engine->settings.max_clients,
                engine->stats.input_bytes_peak, engine->stats.output_bytes_peak,
                blocking_clients(engine), pubsub, watching, blocking_deadlines(engine),
                watching_keys(engine), blocking_keys(engine));
}

static void write_replication(struct server *server, struct text *out)
{
    text_format(out,
                "role:master\r\nconnected_slaves:0\r\nmaster_failover_state:no-failover\r\n"
                "master_replid:%s\r\nmaster_replid2:0000000000000000000000000000000000000000\r\n"
                "master_repl_offset:0\r\nsecond_repl_offset:-1\r\nrepl_backlog_active:0\r\n"
                "repl_backlog_size:1048576\r\nrepl_backlog_first_byte_offset:0\r\n"
                "repl_backlog_histlen:0\r\n",
                server->replication_id);
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1000000;
}

static void write_cpu(struct server *server, struct text *out)
{
    struct rusage own, children;

    getrusage(RUSAGE_SELF, &own);
    getrusage(RUSAGE_CHILDREN, &children);
    text_format(out,
                "used_cpu_sys:%.6f\r\nused_cpu_user:%.6f\r\nused_cpu_sys_children:%.6f\r\n"
                "used_cpu_user_children:%.6f\r\nused_cpu_sys_main_thread:%.6f\r\n"
                "used_cpu_user_main_thread:%.6f\r\n",
                seconds(own.ru_stime), seconds(own.ru_utime), seconds(children.ru_stime),
                seconds(children.ru_utime), seconds(own.ru_stime), seconds(own.ru_utime));
}

static void write_modules(struct server *server, struct text *out) {}

static void write_cluster(struct server *server, struct text *out)
{
    text_format(out, "cluster_enabled:0\r\n");
}

static void write_keyspace(struct server *server, struct text *out)
{
    int64_t now_ms = clock_now_ms(&server->clock);

    for (int i = 0; i < server->store->db_count; i++) {
        const struct db *db = &server->store->dbs[i];
        int64_t mean_ms = store_mean_deadline(db);

        if (store_size(db))
            text_format(out, "db%d:keys=%zu,expires=%zu,avg_ttl=%lld\r\n", i, store_size(db),
                        store_expiring(db), mean_ms > now_ms ? (long long)(mean_ms - now_ms) : 0);
    }
}

/* What only Tern has: the longest piece of housekeeping of each kind, and how requests come in batches. */
static void write_tern(struct server *server, struct text *out)
{
    static const char *const kinds[WORK_KINDS] = {
        [WORK_EXPIRE] = "expire", [WORK_FREE] = "free", [WORK_EVICT] = "evict",
        [WORK_RESIZE] = "resize", [WORK_MOVE] = "move", [WORK_RETURN] = "return",
    };
    const struct engine_stats *stats = &server->engine->stats;

    for (int i = 0; i < WORK_KINDS; i++)
        text_format(out, "tern_longest_slice_usec_%s:%llu\r\n", kinds[i],
                    u(server->store->stats.longest_slice_ns[i] / 1000));
    text_format(out,
                "tern_turns:%llu\r\ntern_batches:%llu\r\ntern_moved_blocks:%llu\r\n"
                "tern_clock_offset_ms:%lld\r\n",
                u(stats->turns), u(stats->batches), u(server->store->stats.moved),
                (long long)server->clock.offset_us / 1000);
}

static const struct {
    const char *name, *title;
    void (*write)(struct server *server, struct text *out);
    bool is_default;
} sections[] = {
    {"server", "Server", write_server, true},
    {"clients", "Clients", write_clients, true},
    {"memory", "Memory", info_write_memory, true},
    {"persistence", "Persistence", info_persistence, true},
    {"stats", "Stats", info_write_stats, true},
    {"replication", "Replication", write_replication, true},
    {"cpu", "CPU", write_cpu, true},
    {"modules", "Modules", write_modules, true},
    {"commandstats", "Commandstats", info_write_commandstats, false},
    {"errorstats", "Errorstats", info_write_errorstats, true},
    {"latencystats", "Latencystats", info_write_latencystats, false},
    {"cluster", "Cluster", write_cluster, true},
    {"keyspace", "Keyspace", write_keyspace, true},
    {"tern", "Tern", write_tern, true},
};

static bool is_wanted(size_t at, const struct bytes *asked, int count)
{
    if (!count)
        return sections[at].is_default;
    for (int i = 0; i < count; i++)
        if (bytes_is(asked[i], sections[at].name) || bytes_is(asked[i], "all") ||
            bytes_is(asked[i], "everything") ||
            (bytes_is(asked[i], "default") && sections[at].is_default))
            return true;
    return false;
}

void info_write(struct server *server, struct text *out, const struct bytes *asked, int count)
{
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        if (!is_wanted(i, asked, count))
            continue;
        text_format(out, "%s# %s\r\n", out->len ? "\r\n" : "", sections[i].title);
        sections[i].write(server, out);
    }
}
