/* CONFIG: GET, SET, RESETSTAT, REWRITE. */
#include "config_internal.h"

#include "commands/help.h"

/* --- GET --------------------------------------------------------------------------------------------------- */

static bool is_pattern(struct bytes word)
{
    for (size_t i = 0; i < word.len; i++)
        if (strchr("*?[\\", word.data[i]))
            return true;
    return false;
}

/* The argument that asks for a directive: its name, or a pattern. 0 when none does. */
static int asked_by(const struct request *req, const struct config_row *row, const char *name)
{
    for (int i = 2; i < req->argc; i++) {
        if (bytes_is(req->argv[i], name))
            return i;
        if (!(row->flags & CONFIG_HIDDEN) && is_pattern(req->argv[i]) &&
            bytes_match(req->argv[i], bytes_from_string(name), true))
            return i;
    }
    return 0;
}

static size_t count_asked(const struct request *req)
{
    size_t found = 0;

    for (size_t i = 0; i < config_count(); i++) {
        const struct config_row *row = config_row_at(i);

        found += asked_by(req, row, row->name) != 0;
        found += row->alias && asked_by(req, row, row->alias) != 0;
    }
    return found;
}

/* A name is answered as it was written. */
static void reply_if_asked(struct request *req, const struct config_row *row, const char *name)
{
    int at = name ? asked_by(req, row, name) : 0;
    struct text value = {0};

    if (!at)
        return;
    config_format(server_of(req), row, &value);
    reply_bulk(req, bytes_is(req->argv[at], name) ? req->argv[at] : bytes_from_string(name));
    reply_bulk(req, text_bytes(&value));
    text_release(&value);
}

static void config_get(struct request *req)
{
    reply_map(req, count_asked(req));
    for (size_t i = 0; i < config_count(); i++) {
        const struct config_row *row = config_row_at(i);

        reply_if_asked(req, row, row->name);
        reply_if_asked(req, row, row->alias);
    }
}

/* --- SET, REWRITE, RESETSTAT ---------------------------------------------------------------------------------- */

static void config_set(struct request *req)
{
    struct server *server = server_of(req);
    bool may_change_protected = server_allows(req, server->settings.protected_configs);
    struct error error;
    struct bytes name;
    int culprit;

    if (req->argc % 2) {
        reply_syntax_error(req);
        return;
    }
    if (config_change(server, req->argv + 2, req->argc - 2, may_change_protected, &culprit, &error) == 0) {
        reply_ok(req);
        return;
    }
    name = req->argv[2 + culprit];
    if (!strcmp(error.text, CONFIG_IS_LOADING))
        reply_error(req, ERR_LOADING);
    else if (!*error.text)
        reply_error_format(req, "ERR Unknown option or number of arguments for CONFIG SET - '%.*s'", (int)name.len,
                           name.data);
    else
        reply_error_format(req, "ERR CONFIG SET failed (possibly related to argument '%.*s') - %s", (int)name.len,
                           name.data, error.text);
}

static void config_rewrite(struct request *req)
{
    struct error error;

    if (!server_of(req)->settings.config_file)
        reply_error(req, "ERR The server is running without a config file");
    else if (config_write_file(server_of(req), &error) < 0)
        reply_error_format(req, "ERR Rewriting config file: %s", error.text);
    else
        reply_ok(req);
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
     "parameter [parameter ...]", "Returns the values of directives that match patterns.",
     .history = "7.0.0 Several patterns."},
    {"help", cmd_help, 2, CMD_LOADING | CMD_STALE, {0, 0, 0}, NULL, "5.0.0", "O(1)", "",
     "Prints this help."},
    {"resetstat", config_resetstat, 2, CONFIG_FLAGS, {0, 0, 0}, NULL, "2.0.0", "O(1)", "",
     "Sets the statistics of INFO to zero.",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
    {"rewrite", config_rewrite, 2, CONFIG_FLAGS, {0, 0, 0}, NULL, "2.8.0", "O(1)", "",
     "Writes the configuration file again with the values of now.",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
    {"set", config_set, -4, CONFIG_FLAGS, {0, 0, 0}, NULL, "2.0.0", "O(N) directives",
     "parameter value [parameter value ...]", "Changes directives, all or none.",
     .tips = "request_policy:all_nodes response_policy:all_succeeded",
     .history = "7.0.0 Several directives."},
    {0},
};

static const struct command config_commands[] = {
    {"config", NULL, -2, 0, {0, 0, 0}, config_subcommands, "2.0.0", "", "",
     "Shows and changes the configuration."},
};
REGISTER_COMMANDS("server", config_commands);
