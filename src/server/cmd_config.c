/* CONFIG. */
#include "server_internal.h"

#include "base/mem.h"
#include "commands/help.h"

/* --- GET --------------------------------------------------------------------------------------------------- */

/* The argument that asks for a directive: its name, or a pattern. 0 when none does. */
static int asked_by(const struct request *req, const char *name)
{
    for (int i = 2; i < req->argc; i++)
        if (bytes_match(req->argv[i], bytes_from_string(name), true))
            return i;
    return 0;
}

/* A name is answered as it was written. */
static void reply_asked_name(struct request *req, const char *name)
{
    struct bytes asked = req->argv[asked_by(req, name)];

    reply_bulk(req, bytes_is(asked, name) ? asked : bytes_from_string(name));
}

static void config_get(struct request *req)
{
    size_t found = 0;

    for (size_t i = 0; i < config_count(); i++)
        found += asked_by(req, config_name(i)) != 0;
    reply_map(req, found);
    for (size_t i = 0; i < config_count(); i++) {
        struct text value = {0};

        if (!asked_by(req, config_name(i)))
            continue;
        config_format(server_of(req), i, &value);
        reply_asked_name(req, config_name(i));
        reply_bulk(req, text_bytes(&value));
        text_release(&value);
    }
}

/* --- SET: all or nothing ------------------------------------------------------------------------------------- */

static size_t index_of(struct bytes name)
{
    size_t at = 0;

    while (at < config_count() && !bytes_is(name, config_name(at)))
        at++;
    return at;
}

static bool names_are_good_or_reply(struct request *req)
{
    for (int i = 2; i < req->argc; i += 2) {
        if (index_of(req->argv[i]) == config_count()) {
            reply_error_format(req, "ERR Unknown option or number of arguments for CONFIG SET - '%.*s'",
                               (int)req->argv[i].len, req->argv[i].data);
            return false;
        }
        for (int k = 2; k < i; k += 2)
            if (index_of(req->argv[k]) == index_of(req->argv[i])) {
                reply_error_format(req,
                                   "ERR CONFIG SET failed (possibly related to argument '%.*s') - "
                                   "duplicate parameter",
                                   (int)req->argv[i].len, req->argv[i].data);
                return false;
            }
    }
    return true;
}

static int apply(struct request *req, int at, struct error *error)
{
    return config_apply(server_of(req), &req->argv[at], 2, false, error);
}

static void config_set(struct request *req)
{
    struct text *before;
    struct error error;
    size_t count;
    int at;

    if (req->argc % 2) {
        reply_syntax_error(req);
        return;
    }
    if (!names_are_good_or_reply(req))
        return;
    count = (size_t)(req->argc - 2) / 2;
    before = mem_alloc_zero(count * sizeof *before);
    for (size_t i = 0; i < count; i++)
        config_format(server_of(req), index_of(req->argv[2 + 2 * i]), &before[i]);
    for (at = 2; at < req->argc; at += 2)
        if (apply(req, at, &error) < 0)
            break;
    if (at >= req->argc) {
        reply_ok(req);
    } else {
        reply_error_format(req, "ERR CONFIG SET failed (possibly related to argument '%.*s') - %s",
                           (int)req->argv[at].len, req->argv[at].data, error.text);
        while ((at -= 2) >= 2) {
            struct bytes pair[2] = {req->argv[at], text_bytes(&before[(at - 2) / 2])};

            config_apply(server_of(req), pair, 2, false, &error);
        }
    }
    for (size_t i = 0; i < count; i++)
        text_release(&before[i]);
    mem_free(before, count * sizeof *before);
}

static void config_resetstat(struct request *req)
{
    engine_reset_stats(req->engine);
    req->engine->store->stats = (struct store_stats){0};
    reply_ok(req);
}

#define CONFIG_FLAGS (CMD_ADMIN | CMD_DANGEROUS | CMD_NOSCRIPT | CMD_LOADING | CMD_STALE)

static const struct command config_subcommands[] = {
    {"get", config_get, -3, CONFIG_FLAGS, {0, 0, 0}, NULL, "2.0.0", "O(N) directives",
     "parameter [parameter ...]", "Returns the values of directives that match patterns."},
    {"help", cmd_help, 2, CMD_LOADING | CMD_STALE, {0, 0, 0}, NULL, "5.0.0", "O(1)", "",
     "Prints this help."},
    {"resetstat", config_resetstat, 2, CONFIG_FLAGS, {0, 0, 0}, NULL, "2.0.0", "O(1)", "",
     "Sets the statistics of INFO to zero.",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
    {"set", config_set, -4, CONFIG_FLAGS, {0, 0, 0}, NULL, "2.0.0", "O(N) directives",
     "parameter value [parameter value ...]", "Changes directives, all or none.",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
    {0},
};

static const struct command config_commands[] = {
    {"config", NULL, -2, 0, {0, 0, 0}, config_subcommands, "2.0.0", "", "",
     "Shows and changes the configuration."},
};
REGISTER_COMMANDS("server", config_commands);
