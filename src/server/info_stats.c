/* INFO stats, commandstats, errorstats, latencystats. */
#include "info_internal.h"

#include "base/numbers.h"
#include "ds/histogram.h"
#include "engine/error_counts.h"
#include "engine/pubsub.h"

static size_t channels(struct server *server, enum channel_kind kind)
{
    return map_size(pubsub_channels(server->engine, kind));
}

static void write_traffic(struct server *server, struct text *out)
{
    const struct engine_stats *stats = &server->engine->stats;

    text_format(out,
                "total_connections_received:%llu\r\ntotal_commands_processed:%llu\r\n"
                "instantaneous_ops_per_sec:%.0f\r\ntotal_net_input_bytes:%llu\r\n"
                "total_net_output_bytes:%llu\r\ntotal_net_repl_input_bytes:0\r\n"
                "total_net_repl_output_bytes:0\r\ninstantaneous_input_kbps:%.2f\r\n"
                "instantaneous_output_kbps:%.2f\r\ninstantaneous_input_repl_kbps:0.00\r\n"
                "instantaneous_output_repl_kbps:0.00\r\nrejected_connections:%llu\r\n"
                "sync_full:0\r\nsync_partial_ok:0\r\nsync_partial_err:0\r\n",
                u(stats->connections), u(stats->commands), server->rate.commands_per_second,
                u(stats->bytes_in), u(stats->bytes_out), server->rate.kb_in_per_second,
                server->rate.kb_out_per_second, u(stats->rejected_connections));
}

static void write_keys(struct server *server, struct text *out)
{
    const struct store_stats *keys = &server->store->stats;
    uint64_t exceeded_ns = keys->exceeded_since_ns ? clock_work_ns() - keys->exceeded_since_ns : 0;

    text_format(out,
                "expired_keys:%llu\r\nexpired_subkeys:%llu\r\nexpired_stale_perc:0.00\r\nexpired_time_cap_reached_count:0\r\n"
                "expire_cycle_cpu_milliseconds:%llu\r\nevicted_keys:%llu\r\nevicted_clients:0\r\n"
                "evicted_scripts:%llu\r\n"
                "total_eviction_exceeded_time:%llu\r\ncurrent_eviction_exceeded_time:%llu\r\n"
                "keyspace_hits:%llu\r\nkeyspace_misses:%llu\r\npubsub_channels:%zu\r\n"
                "pubsub_patterns:%zu\r\npubsubshard_channels:%zu\r\nlatest_fork_usec:%llu\r\n"
                "total_forks:%llu\r\nmigrate_cached_sockets:0\r\nslave_expires_tracked_keys:0\r\n"
                "active_defrag_hits:%llu\r\nactive_defrag_misses:0\r\nactive_defrag_key_hits:%llu\r\n"
                "active_defrag_key_misses:0\r\ntotal_active_defrag_time:%llu\r\n"
                "current_active_defrag_time:0\r\ntracking_total_keys:0\r\ntracking_total_items:0\r\n"
                "tracking_total_prefixes:0\r\n",
                u(keys->expired), u(keys->expired_fields), u(keys->work_ns[WORK_EXPIRE] / 1000000), u(keys->evicted),
                u(server->engine->stats.evicted_scripts),
                u((keys->exceeded_ns + exceeded_ns) / 1000000), u(exceeded_ns / 1000000), u(keys->hits), u(keys->misses),
                channels(server, CHANNEL_PLAIN), channels(server, CHANNEL_PATTERN),
                channels(server, CHANNEL_SHARD), u(server->forks.latest_ns / 1000),
                u(server->forks.count), u(keys->moved), u(keys->moved),
                u(keys->work_ns[WORK_MOVE] / 1000000));
}

/* Within commands. */
static uint64_t commands_ns(const struct engine *engine)
{
    uint64_t sum = 0;

    for (unsigned id = 0; id < command_set_size(engine->commands); id++)
        sum += engine->command_stats[id].time_ns;
    return sum;
}

void info_write_stats(struct server *server, struct text *out)
{
    const struct engine_stats *stats = &server->engine->stats;

    write_traffic(server, out);
    write_keys(server, out);
    text_format(out,
                "unexpected_error_replies:0\r\ntotal_error_replies:%llu\r\n"
                "dump_payload_sanitizations:0\r\ntotal_reads_processed:%llu\r\n"
                "total_writes_processed:%llu\r\nio_threaded_reads_processed:0\r\n"
                "io_threaded_writes_processed:0\r\nclient_query_buffer_limit_disconnections:%llu\r\n"
                "client_output_buffer_limit_disconnections:%llu\r\nreply_buffer_shrinks:0\r\n"
                "reply_buffer_expands:0\r\neventloop_cycles:%llu\r\neventloop_duration_sum:%llu\r\n"
                "eventloop_duration_cmd_sum:%llu\r\ninstantaneous_eventloop_cycles_per_sec:%.0f\r\n"
                "instantaneous_eventloop_duration_usec:%.0f\r\nacl_access_denied_auth:%llu\r\n"
                "acl_access_denied_cmd:0\r\nacl_access_denied_key:0\r\nacl_access_denied_channel:0\r\n",
                u(stats->errors), u(stats->reads), u(stats->writes), u(stats->input_limit_closes),
                u(stats->output_limit_closes), u(stats->turns), u(stats->turns_ns / 1000),
                u(commands_ns(server->engine) / 1000), server->rate.turns_per_second, server->rate.turn_usec,
                u(stats->auth_failures));
}

void info_write_commandstats(struct server *server, struct text *out)
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

static void write_error_count(void *context, const char *code, uint64_t count)
{
    text_format(context, "errorstat_%s:count=%llu\r\n", code, u(count));
}

void info_write_errorstats(struct server *server, struct text *out)
{
    error_counts_each(server->engine, write_error_count, out);
}

static void write_percentiles(const struct server *server, const struct histogram *histogram,
                              struct text *out)
{
    const struct percentiles *percentiles = &server->settings.percentiles;

    for (int i = 0; i < percentiles->count; i++) {
        char text[DOUBLE_TEXT_MAX];
        int len = (int)double_format(text, percentiles->values[i]);

        text_format(out, "%sp%.*s=%.3f", i ? "," : "", len, text,
                    (double)histogram_percentile(histogram, percentiles->values[i]) / 1000);
    }
}

void info_write_latencystats(struct server *server, struct text *out)
{
    const struct command_set *set = server->engine->commands;

    for (unsigned id = 0; id < command_set_size(set); id++) {
        const struct histogram *histogram = server->engine->command_stats[id].latency;
        char name[COMMAND_NAME_MAX];

        if (!histogram)
            continue;
        text_format(out, "latency_percentiles_usec_%s:",
                    command_full_name(command_set_at(set, id), name));
        write_percentiles(server, histogram, out);
        text_add(out, BYTES("\r\n"));
    }
}
