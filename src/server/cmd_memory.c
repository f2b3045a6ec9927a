/* MEMORY: what keys and the whole server take. */
#include "server_internal.h"

#include "base/mem.h"
#include "base/text.h"
#include "commands/help.h"
#include "script/functions.h"
#include "script/script_cache.h"
#include "store/value.h"

#include <stdio.h>

/* --- a key -------------------------------------------------------------------------------------------------- */

#define SAMPLES_USUAL 5

/* SAMPLES count: how many elements are looked at, 0 for all. */
static bool parse_samples_or_reply(struct request *req, int64_t *samples)
{
    *samples = SAMPLES_USUAL;
    for (int i = 3; i < req->argc; i += 2) {
        if (!argument_is(req, i, "samples") || i + 1 == req->argc) {
            reply_syntax_error(req);
            return false;
        }
        if (!parse_int_or_reply(req, i + 1, samples))
            return false;
        if (*samples < 0) {
            reply_syntax_error(req);
            return false;
        }
    }
    return true;
}

static void memory_usage(struct request *req)
{
    struct key_ref ref;
    int64_t samples;

    if (!parse_samples_or_reply(req, &samples))
        return;
    ref = key_find(req, 2, LOOKUP_NOTOUCH | LOOKUP_QUIET);
    if (ref.entry)
        reply_int(req, (int64_t)key_memory(ref.entry, (size_t)samples));
    else
        reply_null(req);
}

/* --- the server --------------------------------------------------------------------------------------------- */

struct figures {
    uint64_t used, peak, startup, committed, rss;
    uint64_t clients, overhead, dataset;
    uint64_t keys, databases; /* that have keys */
};

static struct figures measure(struct server *server)
{
    struct figures figures = {
        .used = mem_used(), .peak = mem_used_peak(), .startup = server->startup_bytes,
        .committed = mem_committed(), .rss = server_rss_bytes(),
        .clients = engine_client_memory(server->engine),
    };

    figures.overhead = figures.startup + figures.clients;
    for (int i = 0; i < server->store->db_count; i++) {
        figures.overhead += store_overhead(&server->store->dbs[i]);
        figures.keys += store_size(&server->store->dbs[i]);
        figures.databases += store_size(&server->store->dbs[i]) > 0;
    }
    figures.dataset = figures.used > figures.overhead ? figures.used - figures.overhead : 0;
    return figures;
}

static double ratio(uint64_t part, uint64_t whole) { return whole ? (double)part / (double)whole : 0; }

static void number(struct request *req, const char *name, uint64_t value)
{
    reply_bulk_string(req, name);
    reply_int(req, (int64_t)value);
}

static void fraction(struct request *req, const char *name, double value)
{
    reply_bulk_string(req, name);
    reply_double(req, value);
}

/* How much more 'whole' is than 'part', as a ratio and in bytes. */
static void excess(struct request *req, const char *ratio_name, const char *bytes_name, uint64_t whole,
                   uint64_t part)
{
    fraction(req, ratio_name, ratio(whole, part));
    number(req, bytes_name, whole - part);
}

static void reply_database(struct request *req, const struct db *db)
{
    char name[32];

    if (!store_size(db))
        return;
    snprintf(name, sizeof name, "db.%d", db->id);
    reply_bulk_string(req, name);
    reply_map(req, 3);
    number(req, "overhead.hashtable.main", dict_memory(&db->keys));
    number(req, "overhead.hashtable.expires", wheel_memory(db->deadlines));
    number(req, "overhead.hashtable.slot-to-keys", 0);
}

static void reply_allocator(struct request *req, const struct figures *figures)
{
    number(req, "allocator.allocated", figures->used);
    number(req, "allocator.active", figures->committed);
    number(req, "allocator.resident", figures->committed);
    excess(req, "allocator-fragmentation.ratio", "allocator-fragmentation.bytes", figures->committed,
           figures->used);
    excess(req, "allocator-rss.ratio", "allocator-rss.bytes", figures->committed, figures->committed);
    excess(req, "rss-overhead.ratio", "rss-overhead.bytes", figures->rss, figures->committed);
    excess(req, "fragmentation", "fragmentation.bytes", figures->rss, figures->used);
}

#define STATS_FIELDS 27 /* beside one for each database */

static void memory_stats(struct request *req)
{
    static const char *const none_yet[] = {"cluster.links", "aof.buffer"};
    struct server *server = server_of(req);
    struct figures figures = measure(server);
    uint64_t net = figures.used > figures.startup ? figures.used - figures.startup : 0;

    reply_map(req, STATS_FIELDS + figures.databases);
    number(req, "peak.allocated", figures.peak);
    number(req, "total.allocated", figures.used);
    number(req, "startup.allocated", figures.startup);
    number(req, "replication.backlog", 0);
    number(req, "clients.slaves", 0);
    number(req, "clients.normal", figures.clients);
    for (size_t i = 0; i < sizeof none_yet / sizeof *none_yet; i++)
        number(req, none_yet[i], 0);
    number(req, "lua.caches", script_cache_memory(scripts_cache(server->engine->scripts)));
    number(req, "functions.caches", functions_memory(server->engine->functions));
    for (int i = 0; i < server->store->db_count; i++)
        reply_database(req, &server->store->dbs[i]);
    number(req, "overhead.total", figures.overhead);
    number(req, "keys.count", figures.keys);
    number(req, "keys.bytes-per-key", figures.keys ? net / figures.keys : 0);
    number(req, "dataset.bytes", figures.dataset);
    fraction(req, "dataset.percentage", 100 * ratio(figures.dataset, net));
    fraction(req, "peak.percentage", 100 * ratio(figures.used, figures.peak));
    reply_allocator(req, &figures);
}

/* --- DOCTOR ------------------------------------------------------------------------------------------------- */

#define DOCTOR_USED_MIN (5u << 20) /* of less than this nothing can be said */

static void diagnose(const struct figures *figures, const struct server *server, struct text *out)
{
    if (ratio(figures->peak, figures->used) > 1.5)
        text_format(out, " * Peak: memory use was more than 1.5 times what it is now. What was freed is given "
                         "back piece by piece; MEMORY PURGE does it at once.\n");
    if (ratio(figures->committed, figures->used) > 1.25 && figures->committed - figures->used > (10u << 20))
        text_format(out, " * Sparse pages: the heap holds more than 1.25 times the bytes in use, since keys "
                         "were deleted here and there. Blocks are moved together while the server is idle.\n");
    if (ratio(figures->rss, figures->committed) > 1.25 && figures->rss - figures->committed > (10u << 20))
        text_format(out, " * Beside the heap: the process holds more than 1.25 times what the heap does. Look "
                         "for a child process, or for clients with large buffers.\n");
    if (server->engine->client_count && figures->clients / server->engine->client_count > 200 * 1024)
        text_format(out, " * Clients: they take more than 200 KB each on the average. CLIENT LIST tells which "
                         "do not read their replies.\n");
}

static void memory_doctor(struct request *req)
{
    struct figures figures = measure(server_of(req));
    struct text out = {0};

    if (figures.used < DOCTOR_USED_MIN) {
        text_format(&out, "There is hardly anything in this server. Ask again when it holds some data.\n");
    } else {
        diagnose(&figures, server_of(req), &out);
        if (!out.len)
            text_format(&out, "No problem with memory was found.\n");
    }
    reply_verbatim(req, text_bytes(&out), "txt");
    text_release(&out);
}

/* --- the allocator ------------------------------------------------------------------------------------------ */

static void memory_malloc_stats(struct request *req)
{
    struct figures figures = measure(server_of(req));
    struct text out = {0};

    text_format(&out,
                "allocator: tern-slab\nin use: %llu bytes\nhighest so far: %llu bytes\n"
                "backed by the kernel: %llu bytes\nof these not in use: %llu bytes (%.1f%%)\n"
                "resident: %llu bytes\nwaiting to be freed: %zu values and databases\n"
                "blocks moved together: %llu\n",
                (unsigned long long)figures.used, (unsigned long long)figures.peak,
                (unsigned long long)figures.committed,
                (unsigned long long)(figures.committed - figures.used),
                100 * ratio(figures.committed - figures.used, figures.committed),
                (unsigned long long)figures.rss, store_pending_frees(req->engine->store),
                (unsigned long long)req->engine->store->stats.moved);
    reply_verbatim(req, text_bytes(&out), "txt");
    text_release(&out);
}

#define PURGE_NS (1000 * 1000 * 1000LL) /* the rest is given back in the background */

static void memory_purge(struct request *req)
{
    mem_background_step(PURGE_NS);
    reply_ok(req);
}

/* --- the table ---------------------------------------------------------------------------------------------- */

#define SHARDS_TIPS "nondeterministic_output request_policy:all_shards response_policy:special"

static const struct command memory_subcommands[] = {
    {"doctor", memory_doctor, 2, 0, {0, 0, 0}, NULL, "4.0.0", "O(1)", "",
     "Says what is odd about the use of memory.", .tips = SHARDS_TIPS},
    {"help", cmd_help, 2, CMD_LOADING | CMD_STALE, {0, 0, 0}, NULL, "4.0.0", "O(1)", "",
     "Prints this help."},
    {"malloc-stats", memory_malloc_stats, 2, 0, {0, 0, 0}, NULL, "4.0.0", "O(1)", "",
     "Describes the heap.", .tips = SHARDS_TIPS},
    {"purge", memory_purge, 2, 0, {0, 0, 0}, NULL, "4.0.0", "O(N) freed pages", "",
     "Gives freed memory back to the kernel now.",
     .tips = "request_policy:all_shards response_policy:all_succeeded"},
    {"stats", memory_stats, 2, 0, {0, 0, 0}, NULL, "4.0.0", "O(1)", "", "Shows what takes memory.",
     .tips = SHARDS_TIPS},
    {"usage", memory_usage, -3, CMD_READONLY, {2, 2, 1}, NULL, "4.0.0", "O(N) samples",
     "key [SAMPLES count]", "Returns the bytes that a key takes with its value.",
     KEY_RANGE_RULE(KEY_RO, 2, 0, 1)},
    {0},
};

static const struct command memory_commands[] = {
    {"memory", NULL, -2, 0, {0, 0, 0}, memory_subcommands, "4.0.0", "", "",
     "Shows what takes memory."},
};
REGISTER_COMMANDS("server", memory_commands);
