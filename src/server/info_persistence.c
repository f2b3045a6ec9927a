/* INFO persistence: snapshots as they are, and the append-only file that is not there. */
#include "server_internal.h"

#include "base/mem.h"

static void write_loading(const struct server *server, struct text *out)
{
    const struct persistence *persistence = &server->persistence;
    double part = persistence->loading_total ? (double)persistence->loading_done / (double)persistence->loading_total : 0;
    int64_t elapsed = clock_now_ms(&server->clock) / 1000 - persistence->loading_since_s;
    int64_t left = part > 0 ? (int64_t)((double)elapsed / part - (double)elapsed) : 1;

    text_format(out,
                "loading_start_time:%lld\r\nloading_total_bytes:%llu\r\nloading_rdb_used_mem:%llu\r\n"
                "loading_loaded_bytes:%llu\r\nloading_loaded_perc:%.2f\r\nloading_eta_seconds:%lld\r\n",
                (long long)persistence->loading_since_s, (unsigned long long)persistence->loading_total,
                (unsigned long long)persistence->loaded.memory, (unsigned long long)persistence->loading_done,
                part * 100, (long long)left);
}

void info_persistence(struct server *server, struct text *out)
{
    const struct persistence *persistence = &server->persistence;
    bool is_saving = server->child_kind == CHILD_SAVES;
    int64_t now_ms = clock_now_ms(&server->clock);
    unsigned long long done = is_saving ? server->child_report->keys_done : 0;
    unsigned long long total = is_saving ? persistence->keys_total : 0;

    text_format(out,
                "loading:%d\r\nasync_loading:0\r\ncurrent_cow_peak:%llu\r\ncurrent_cow_size:0\r\n"
                "current_cow_size_age:0\r\ncurrent_fork_perc:%.2f\r\ncurrent_save_keys_processed:%llu\r\n"
                "current_save_keys_total:%llu\r\nrdb_changes_since_last_save:%lld\r\n"
                "rdb_bgsave_in_progress:%d\r\nrdb_last_save_time:%lld\r\nrdb_last_bgsave_status:%s\r\n"
                "rdb_last_bgsave_time_sec:%lld\r\nrdb_current_bgsave_time_sec:%lld\r\nrdb_saves:%llu\r\n"
                "rdb_last_cow_size:%llu\r\nrdb_last_load_keys_expired:%llu\r\nrdb_last_load_keys_loaded:%llu\r\n"
                "aof_enabled:0\r\naof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0\r\n"
                "aof_last_rewrite_time_sec:-1\r\naof_current_rewrite_time_sec:-1\r\n"
                "aof_last_bgrewrite_status:ok\r\naof_rewrites:0\r\n"
                "aof_rewrites_consecutive_failures:0\r\naof_last_write_status:ok\r\n"
                "aof_last_cow_size:0\r\nmodule_fork_in_progress:0\r\nmodule_fork_last_cow_size:0\r\n",
                persistence->is_loading, is_saving ? (unsigned long long)persistence->copied_peak : 0,
                total ? 100.0 * (double)done / (double)total : 0.0, done, total, (long long)server->engine->changes,
                is_saving, (long long)persistence->saved_s, persistence->has_failed ? "err" : "ok",
                (long long)persistence->last_duration_s,
                is_saving ? (long long)(now_ms - persistence->child_started_ms) / 1000 : -1LL,
                (unsigned long long)persistence->saves, (unsigned long long)persistence->copied_bytes,
                (unsigned long long)persistence->loaded.expired, (unsigned long long)persistence->loaded.keys);
    if (persistence->is_loading)
        write_loading(server, out);
}
