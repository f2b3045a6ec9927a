/* LATENCY: what took long, by kind of event and by command. */
#include "commands/help.h"
#include "ds/histogram.h"
#include "engine/latency.h"
#include "engine/request.h"

#include "base/text.h"

#include <stdio.h>

/* --- samples -------------------------------------------------------------------------------------------- */

static size_t sample_count(const struct latency_event *event)
{
    size_t count = 0;

    for (unsigned i = 0; i < LATENCY_SAMPLES; i++)
        count += latency_at(event, i)->time_s != 0;
    return count;
}

static void latency_history(struct request *req)
{
    const struct latency_event *event = latency_find(req->engine, req->argv[2]);

    if (!event) {
        reply_array(req, 0);
        return;
    }
    reply_array(req, sample_count(event));
    for (unsigned i = 0; i < LATENCY_SAMPLES; i++) {
        const struct latency_sample *sample = latency_at(event, i);

        if (!sample->time_s)
            continue;
        reply_array(req, 2);
        reply_int(req, sample->time_s);
        reply_int(req, sample->ms);
    }
}

static void latency_latest_all(struct request *req)
{
    size_t count = 0;

    for (const struct latency_event *event = latency_first(req->engine); event; event = event->next)
        count++;
    reply_array(req, count);
    for (const struct latency_event *event = latency_first(req->engine); event; event = event->next) {
        reply_array(req, 4);
        reply_bulk_string(req, event->name);
        reply_int(req, latency_latest(event)->time_s);
        reply_int(req, latency_latest(event)->ms);
        reply_int(req, event->max_ms);
    }
}

static void latency_reset(struct request *req)
{
    int64_t count = 0;

    if (req->argc == 2)
        latency_forget_all(req->engine, &count);
    for (int i = 2; i < req->argc; i++)
        count += latency_forget(req->engine, req->argv[i]);
    reply_int(req, count);
}

/* --- GRAPH ------------------------------------------------------------------------------------------------

 * A column for each sample, the oldest left, in four rows of three levels, and under it the age. */

#define GRAPH_ROWS   4
#define GRAPH_LEVELS 3
#define GRAPH_WIDTH  80

struct graph {
    const struct latency_sample *samples[LATENCY_SAMPLES];
    unsigned count;
    int64_t low, high;
};

static void graph_collect(struct graph *graph, const struct latency_event *event)
{
    *graph = (struct graph){.low = INT64_MAX};
    for (unsigned i = 0; i < LATENCY_SAMPLES; i++) {
        const struct latency_sample *sample = latency_at(event, i);

        if (!sample->time_s)
            continue;
        graph->samples[graph->count++] = sample;
        if (sample->ms < graph->low)
            graph->low = sample->ms;
        if (sample->ms > graph->high)
            graph->high = sample->ms;
    }
}

static char graph_cell(const struct graph *graph, unsigned column, int row)
{
    const int levels = GRAPH_ROWS * GRAPH_LEVELS;
    double span = graph->high > graph->low ? (double)(graph->high - graph->low) : 1;
    int level = (int)((double)(graph->samples[column]->ms - graph->low) * levels / span);
    int at = (level < levels ? level : levels - 1) - (GRAPH_ROWS - 1 - row) * GRAPH_LEVELS;

    if (at < 0)
        return ' ';
    return at < GRAPH_LEVELS ? "_o#"[at] : '|';
}

static void format_age(int64_t seconds, char *out, size_t size)
{
    if (seconds < 60)
        snprintf(out, size, "%llds", (long long)seconds);
    else if (seconds < 3600)
        snprintf(out, size, "%lldm", (long long)seconds / 60);
    else if (seconds < 86400)
        snprintf(out, size, "%lldh", (long long)seconds / 3600);
    else
        snprintf(out, size, "%lldd", (long long)seconds / 86400);
}

static void graph_draw(const struct graph *graph, unsigned from, unsigned to, int64_t now_s,
                       struct text *out)
{
    char age[LATENCY_SAMPLES][24];
    size_t lines = 0;

    for (int row = 0; row < GRAPH_ROWS; row++) {
        for (unsigned i = from; i < to; i++)
            text_format(out, "%c", graph_cell(graph, i, row));
        text_add(out, BYTES("\n"));
    }
    for (unsigned i = from; i < to; i++) {
        format_age(now_s - graph->samples[i]->time_s, age[i], sizeof age[i]);
        if (strlen(age[i]) > lines)
            lines = strlen(age[i]);
        text_add(out, BYTES(" "));
    }
    text_add(out, BYTES("\n"));
    for (size_t line = 0; line < lines; line++) {
        for (unsigned i = from; i < to; i++)
            text_format(out, "%c", line < strlen(age[i]) ? age[i][line] : ' ');
        text_add(out, BYTES("\n"));
    }
}

static void latency_graph(struct request *req)
{
    const struct latency_event *event = latency_find(req->engine, req->argv[2]);
    struct text text = {0};
    struct graph graph;

    if (!event) {
        reply_error_format(req, "ERR No samples available for event '%.*s'", (int)req->argv[2].len,
                           req->argv[2].data);
        return;
    }
    graph_collect(&graph, event);
    text_format(&text, "%s - high %lld ms, low %lld ms (all time high %lld ms)\n", event->name,
                (long long)graph.high, (long long)graph.low, (long long)event->max_ms);
    for (int i = 0; i < GRAPH_WIDTH; i++)
        text_add(&text, BYTES("-"));
    text_add(&text, BYTES("\n"));
    for (unsigned from = 0; from < graph.count; from += GRAPH_WIDTH) {
        unsigned to = from + GRAPH_WIDTH < graph.count ? from + GRAPH_WIDTH : graph.count;

        graph_draw(&graph, from, to, clock_now_ms(req->engine->clock) / 1000, &text);
    }
    reply_verbatim(req, text_bytes(&text), "txt");
    text_release(&text);
}

/* --- DOCTOR ----------------------------------------------------------------------------------------------- */

static void describe_event(struct text *out, const struct latency_event *event)
{
    int64_t sum = 0, first_s = 0, last_s = 0;
    size_t count = sample_count(event);
    double average, deviation = 0;

    for (unsigned i = 0; i < LATENCY_SAMPLES; i++) {
        const struct latency_sample *sample = latency_at(event, i);

        if (!sample->time_s)
            continue;
        if (!first_s)
            first_s = sample->time_s;
        last_s = sample->time_s;
        sum += sample->ms;
    }
    average = (double)sum / (double)count;
    for (unsigned i = 0; i < LATENCY_SAMPLES; i++) {
        const struct latency_sample *sample = latency_at(event, i);
        double distance = (double)sample->ms - average;

        if (sample->time_s)
            deviation += distance < 0 ? -distance : distance;
    }
    text_format(out,
                "%s: %zu seconds with a slow one within %lld seconds, %.0f ms on average (mean deviation "
                "%.0f ms), %lld ms at worst.\n",
                event->name, count, (long long)(last_s - first_s + 1), average,
                deviation / (double)count, (long long)event->max_ms);
}

static const char *advice_for(const char *event)
{
    if (strstr(event, "command"))
        return "SLOWLOG GET shows which commands took long. Commands over many elements are better "
               "split: SCAN instead of KEYS, UNLINK instead of DEL.";
    if (!strcmp(event, "fork"))
        return "A fork copies the tables of pages, which takes longer the more memory is used. Some virtual "
               "machines are slow at it; fewer snapshots help.";
    if (!strcmp(event, "expire-cycle"))
        return "Many keys expired at once. Deadlines that differ a little spread the work.";
    if (strstr(event, "eviction"))
        return "Keys went for want of memory. A higher maxmemory, or keys that expire in time, leave less to do; "
               "maxmemory-eviction-tenacity says how long a command waits for it.";
    if (!strcmp(event, "active-defrag-cycle"))
        return "Blocks of memory were moved together, since many that were removed had left gaps.";
    return NULL;
}

static void latency_doctor(struct request *req)
{
    const struct latency_event *event = latency_first(req->engine);
    struct text text = {0};

    if (!req->engine->settings.latency_threshold_ms)
        text_format(&text, "The latency monitor is off. CONFIG SET latency-monitor-threshold "
                           "<milliseconds> turns it on.\n");
    else if (!event)
        text_format(&text, "Nothing took %lld ms or longer since the latency monitor is on.\n",
                    (long long)req->engine->settings.latency_threshold_ms);
    for (; event; event = event->next) {
        describe_event(&text, event);
        if (advice_for(event->name))
            text_format(&text, "    %s\n", advice_for(event->name));
    }
    reply_verbatim(req, text_bytes(&text), "txt");
    text_release(&text);
}

/* --- HISTOGRAM -------------------------------------------------------------------------------------------- */

#define FIRST_LEVEL_NS 1024

static const struct histogram *histogram_of(const struct request *req, const struct command_entry *entry)
{
    return req->engine->command_stats[entry->id].latency;
}

/* Levels of powers of two, those that add something. Counts them, and replies when asked to. */
static size_t walk_levels(struct request *req, const struct histogram *histogram, bool is_replying)
{
    uint64_t seen = 0, count;
    size_t levels = 0;

    for (uint64_t level = FIRST_LEVEL_NS; seen < histogram->count; level *= 2) {
        count = histogram_count_to(histogram, level);
        if (level >= HISTOGRAM_VALUE_MAX)
            count = histogram->count;
        if (count == seen)
            continue;
        seen = count;
        levels++;
        if (is_replying) {
            reply_int(req, (int64_t)(histogram_bucket_end(level) / 1000));
            reply_int(req, (int64_t)count);
        }
    }
    return levels;
}

static void reply_histogram(struct request *req, const struct command_entry *entry)
{
    const struct histogram *histogram = histogram_of(req, entry);
    char name[COMMAND_NAME_MAX];

    reply_bulk_string(req, command_full_name(entry, name));
    reply_map(req, 2);
    reply_bulk_string(req, "calls");
    reply_int(req, (int64_t)histogram->count);
    reply_bulk_string(req, "histogram_usec");
    reply_map(req, walk_levels(req, histogram, false));
    walk_levels(req, histogram, true);
}

/* "config" also names its subcommands, "config|get" one of them. */
static bool is_asked_for(const struct command_entry *entry, struct bytes asked)
{
    char name[COMMAND_NAME_MAX];

    return bytes_is(asked, command_full_name(entry, name)) ||
           (entry->parent && bytes_is(asked, entry->parent->name));
}

/* Those that were asked for (all without arguments) and were called; returns how many. */
static size_t walk_histograms(struct request *req, bool is_replying)
{
    const struct command_set *set = req->engine->commands;
    size_t count = 0;

    for (int i = 2; i < req->argc || i == 2; i++)
        for (unsigned id = 0; id < command_set_size(set); id++) {
            const struct command_entry *entry = command_set_at(set, id);

            if (!histogram_of(req, entry) || (req->argc > 2 && !is_asked_for(entry, req->argv[i])))
                continue;
            count++;
            if (is_replying)
                reply_histogram(req, entry);
        }
    return count;
}

static void latency_histogram(struct request *req)
{
    reply_map(req, walk_histograms(req, false));
    walk_histograms(req, true);
}

/* --- the table ---------------------------------------------------------------------------------------------- */

#define LATENCY_FLAGS (CMD_ADMIN | CMD_NOSCRIPT | CMD_LOADING | CMD_STALE)

static const struct command latency_subcommands[] = {
    {"doctor", latency_doctor, 2, LATENCY_FLAGS, {0, 0, 0}, NULL, "2.8.13", "O(1)", "",
     "Describes what took long, for people.",
     .tips = "nondeterministic_output request_policy:all_nodes response_policy:special"},
    {"graph", latency_graph, 3, LATENCY_FLAGS, {0, 0, 0}, NULL, "2.8.13", "O(1)", "event",
     "Draws the samples of an event.",
     .tips = "nondeterministic_output request_policy:all_nodes response_policy:special"},
    {"help", cmd_help, 2, CMD_LOADING | CMD_STALE, {0, 0, 0}, NULL, "2.8.13", "O(1)", "",
     "Prints this help."},
    {"histogram", latency_histogram, -2, LATENCY_FLAGS, {0, 0, 0}, NULL, "7.0.0",
     "O(N) commands", "[command [command ...]]",
     "Returns how many calls of commands took up to how long.",
     .tips = "nondeterministic_output request_policy:all_nodes response_policy:special"},
    {"history", latency_history, 3, LATENCY_FLAGS, {0, 0, 0}, NULL, "2.8.13", "O(1)", "event",
     "Returns the samples of an event.",
     .tips = "nondeterministic_output request_policy:all_nodes response_policy:special"},
    {"latest", latency_latest_all, 2, LATENCY_FLAGS, {0, 0, 0}, NULL, "2.8.13", "O(1)", "",
     "Returns the latest sample of each event.",
     .tips = "nondeterministic_output request_policy:all_nodes response_policy:special"},
    {"reset", latency_reset, -2, LATENCY_FLAGS, {0, 0, 0}, NULL, "2.8.13", "O(1)",
     "[event [event ...]]", "Forgets the samples of events, or all.",
     .tips = "request_policy:all_nodes response_policy:agg_sum"},
    {0},
};

static const struct command latency_commands[] = {
    {"latency", NULL, -2, 0, {0, 0, 0}, latency_subcommands, "2.8.13", "", "",
     "Shows what took long."},
};
REGISTER_COMMANDS("server", latency_commands);
