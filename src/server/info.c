/* INFO: a function for each section, a table of sections. */
#include "server_internal.h"

#include "base/mem.h"
#include "engine/blocking.h"
#include "engine/pubsub.h"
#include "engine/version.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

typedef void write_section(struct server *server, struct text *out);

static unsigned long long u(uint64_t value) { return value; }

static uint64_t rss_bytes(void)
{
    unsigned long long pages = 0, ignored;
    FILE *file = fopen("/proc/self/statm", "r");

    if (!file)
        return 0;
    if (fscanf(file, "%llu %llu", &ignored, &pages) != 2)
        pages = 0;
    fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* "1.50M", as Redis shows sizes to people. */
static const char *human(uint64_t bytes, char out[32])
{
    static const char units[] = "BKMGTP";
    double value = (double)bytes;
    int unit = 0;

    while (value >= 1024 && units[unit + 1])
        value /= 1024, unit++;
    if (unit)
        snprintf(out, 32, "%.2f%c", value, units[unit]);
    else
        snprintf(out, 32, "%lluB", u(bytes));
    return out;
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
                "process_id:%d\r\nprocess_supervised:no\r\nrun_id:%s\r\ntcp_port:%lld\r\n"
                "server_time_usec:%lld\r\nuptime_in_seconds:%lld\r\nuptime_in_days:%lld\r\n"
                "hz:%lld\r\nconfigured_hz:%lld\r\nlru_clock:%u\r\nexecutable:%s\r\n"
                "config_file:%s\r\nio_threads_active:0\r\n",
                REDIS_VERSION, TERN_VERSION, name.sysname, name.release, name.machine, clock_work_source(), __GNUC__,
                __GNUC_MINOR__, __GNUC_PATCHLEVEL__, (int)getpid(), server->run_id,
                (long long)server->settings.port, (long long)clock_now_us(&server->clock),
                (long long)uptime, (long long)uptime / 86400, (long long)server->settings.hz,
                (long long)server->settings.hz, server->store->access_now, executable,
                server->settings.config_file ? server->settings.config_file : "");
}

static void write_clients(struct server *server, struct text *out)
{
    const struct engine *engine = server->engine;
    size_t pubsub = 0;

    for (const struct client *client = engine->clients_first; client; client = client->next)
        pubsub += client_class_of(client) == CLIENT_PUBSUB;
    text_format(out,
                "connected_clients:%zu\r\ncluster_connections:0\r\nmaxclients:%lld\r\n"
                "client_recent_max_input_buffer:%zu\r\nclient_recent_max_output_buffer:%zu\r\n"
                "blocked_clients:%zu\r\ntracking_clients:0\r\npubsub_clients:%zu\r\n"
                "clients_in_timeout_table:0\r\ntotal_blocking_keys:0\r\n",
                engine->client_count, (long long)engine->settings.max_clients,
                engine->stats.input_bytes_peak, engine->stats.output_bytes_peak,
                blocking_clients(engine), pubsub);
}

static void write_memory(struct server *server, struct text *out)
{
    uint64_t used = mem_used(), peak = mem_used_peak(), rss = rss_bytes();
    size_t tables = 0, clients = engine_client_memory(server->engine);
    struct text policy = {0};
    char text[4][32];

    config_format_name(server, "maxmemory-policy", &policy);
    for (int i = 0; i < server->store->db_count; i++)
        tables += store_overhead(&server->store->dbs[i]);
    text_format(out,
                "used_memory:%llu\r\nused_memory_human:%s\r\nused_memory_rss:%llu\r\n"
                "used_memory_rss_human:%s\r\nused_memory_peak:%llu\r\nused_memory_peak_human:%s\r\n"
                "used_memory_peak_perc:%.2f%%\r\nused_memory_overhead:%zu\r\n"
                "used_memory_dataset:%llu\r\nallocator_active:%zu\r\n"
                "maxmemory:0\r\nmaxmemory_human:%s\r\nmaxmemory_policy:%.*s\r\n"
                "mem_fragmentation_ratio:%.2f\r\nmem_fragmentation_bytes:%lld\r\n"
                "mem_clients_normal:%zu\r\nmem_allocator:tern-slab\r\n"
                "lazyfree_pending_objects:%zu\r\n",
                u(used), human(used, text[0]), u(rss), human(rss, text[1]), u(peak),
                human(peak, text[2]), peak ? 100.0 * (double)used / (double)peak : 0, tables + clients,
                u(used - tables - clients), mem_committed(), human(0, text[3]), (int)policy.len, policy.data,
                used ? (double)rss / (double)used : 0, (long long)rss - (long long)used, clients,
                store_pending_frees(server->store));
    text_release(&policy);
}

static void write_persistence(struct server *server, struct text *out)
{
    text_format(out,
                "loading:0\r\nasync_loading:0\r\nrdb_changes_since_last_save:%lld\r\n"
                "rdb_bgsave_in_progress:0\r\naof_enabled:0\r\naof_rewrite_in_progress:0\r\n",
                (long long)server->engine->changes);
}

static void write_stats(struct server *server, struct text *out)
{
    const struct engine_stats *stats = &server->engine->stats;
    const struct store_stats *keys = &server->store->stats;

    text_format(out,
                "total_connections_received:%llu\r\ntotal_commands_processed:%llu\r\n"
                "instantaneous_ops_per_sec:%.0f\r\ntotal_net_input_bytes:%llu\r\n"
                "total_net_output_bytes:%llu\r\ninstantaneous_input_kbps:%.2f\r\n"
                "instantaneous_output_kbps:%.2f\r\nrejected_connections:%llu\r\n"
                "expired_keys:%llu\r\nexpired_subkeys:%llu\r\nevicted_keys:0\r\nkeyspace_hits:%llu\r\n"
                "keyspace_misses:%llu\r\npubsub_channels:%zu\r\npubsub_patterns:%zu\r\n"
                "pubsubshard_channels:%zu\r\ntotal_error_replies:%llu\r\n"
                "total_reads_processed:%llu\r\ntotal_writes_processed:%llu\r\n"
                "client_query_buffer_limit_disconnections:%llu\r\n"
                "client_output_buffer_limit_disconnections:%llu\r\n",
                u(stats->connections), u(stats->commands), server->rate.commands_per_second,
                u(stats->bytes_in), u(stats->bytes_out), server->rate.kb_in_per_second,
                server->rate.kb_out_per_second, u(stats->rejected_connections), u(keys->expired),
                u(keys->expired_fields), u(keys->hits), u(keys->misses),
                map_size(pubsub_channels(server->engine, CHANNEL_PLAIN)),
                map_size(pubsub_channels(server->engine, CHANNEL_PATTERN)),
                map_size(pubsub_channels(server->engine, CHANNEL_SHARD)), u(stats->errors),
                u(stats->reads), u(stats->writes), u(stats->input_limit_closes),
                u(stats->output_limit_closes));
}

static void write_replication(struct server *server, struct text *out)
{
    text_format(out,
                "role:master\r\nconnected_slaves:0\r\nmaster_failover_state:no-failover\r\n"
                "master_replid:%s\r\nmaster_replid2:0000000000000000000000000000000000000000\r\n"
                "master_repl_offset:0\r\nsecond_repl_offset:-1\r\nrepl_backlog_active:0\r\n"
                "repl_backlog_size:1048576\r\nrepl_backlog_first_byte_offset:0\r\n"
                "repl_backlog_histlen:0\r\n",
                server->run_id);
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
                "used_cpu_user_children:%.6f\r\n",
                seconds(own.ru_stime), seconds(own.ru_utime), seconds(children.ru_stime),
                seconds(children.ru_utime));
}

static void write_commandstats(struct server *server, struct text *out)
{
    const struct command_set *set = server->engine->commands;

    for (unsigned id = 0; id < command_set_size(set); id++) {
        const struct command_stats *stats = &server->engine->command_stats[id];
        char name[COMMAND_NAME_MAX];

        if (!stats->calls && !stats->rejected)
            continue;
        text_format(out,
                    "cmdstat_%s:calls=%llu,usec=%llu,usec_per_call=%.2f,rejected_calls=%llu,"
                    "failed_calls=%llu\r\n",
                    command_full_name(command_set_at(set, id), name), u(stats->calls),
                    u(stats->time_ns / 1000),
                    stats->calls ? (double)stats->time_ns / 1000 / (double)stats->calls : 0,
                    u(stats->rejected), u(stats->failed));
    }
}

static void write_cluster(struct server *server, struct text *out)
{
    text_format(out, "cluster_enabled:0\r\n");
}

static void write_keyspace(struct server *server, struct text *out)
{
    for (int i = 0; i < server->store->db_count; i++) {
        const struct db *db = &server->store->dbs[i];

        if (store_size(db))
            text_format(out, "db%d:keys=%zu,expires=%zu,avg_ttl=0\r\n", i, store_size(db),
                        store_expiring(db));
    }
}

/* What only Tern has: the longest piece of housekeeping of each kind, and how requests come in batches. */
static void write_tern(struct server *server, struct text *out)
{
    static const char *const kinds[WORK_KINDS] = {
        [WORK_EXPIRE] = "expire", [WORK_FREE] = "free",     [WORK_RESIZE] = "resize",
        [WORK_MOVE] = "move",     [WORK_RETURN] = "return",
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
    write_section *write;
    bool is_default;
} sections[] = {
    {"server", "Server", write_server, true},
    {"clients", "Clients", write_clients, true},
    {"memory", "Memory", write_memory, true},
    {"persistence", "Persistence", write_persistence, true},
    {"stats", "Stats", write_stats, true},
    {"replication", "Replication", write_replication, true},
    {"cpu", "CPU", write_cpu, true},
    {"commandstats", "Commandstats", write_commandstats, false},
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
