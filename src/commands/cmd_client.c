/* CLIENT: looking at connections and steering them. */
#include "client_argument_internal.h"
#include "engine/blocking.h"
#include "engine/pause.h"
#include "engine/request.h"
#include "commands/help.h"
#include "net/socket.h"

#include "base/mem.h"
#include "base/numbers.h"
#include "base/text.h"

#include <stdio.h>

#define ERR_CLIENT_NAME                                                                            \
    "ERR Client names cannot contain spaces, newlines or special characters."
#define DESCRIPTION_MAX 1024 /* beside the names that clients give themselves */

/* --- who is there ------------------------------------------------------------------------------------------ */

static void client_id(struct request *req) { reply_int(req, (int64_t)req->client->id); }

static size_t text_len(const char *text) { return text ? strlen(text) : 0; }

static void add_client(struct text *text, const struct client *client)
{
    size_t size = DESCRIPTION_MAX + text_len(client->name) + text_len(client->lib_name) +
                  text_len(client->lib_version);
    char *line = mem_alloc(size);

    text_add(text, (struct bytes){line, client_describe(client, line, size)});
    mem_free(line, size);
}

static void reply_text(struct request *req, struct text *text)
{
    reply_verbatim(req, text_bytes(text), "txt");
    text_release(text);
}

static void client_info(struct request *req)
{
    struct text text = {0};

    add_client(&text, req->client);
    reply_text(req, &text);
}

/* "normal", "master", "replica" (or "slave"), "pubsub"; -1 when it is none. 'master' has no clients. */
static int parse_class(struct bytes word)
{
    if (bytes_is(word, "normal"))
        return CLIENT_NORMAL;
    if (bytes_is(word, "pubsub"))
        return CLIENT_PUBSUB;
    if (bytes_is(word, "replica") || bytes_is(word, "slave"))
        return CLIENT_REPLICA;
    return bytes_is(word, "master") ? CLIENT_CLASSES : -1;
}

static void reply_unknown_class(struct request *req, int at)
{
    reply_error_format(req, "ERR Unknown client type '%.*s'", (int)req->argv[at].len,
                       req->argv[at].data);
}

static bool list_by_id(struct request *req, struct text *text)
{
    for (int i = 3; i < req->argc; i++) {
        const struct client *client;
        int64_t id;

        if (!int64_parse(req->argv[i], &id)) {
            reply_error(req, "ERR Invalid client ID");
            return false;
        }
        client = engine_client_by_id(req->engine, (uint64_t)id);
        if (client)
            add_client(text, client);
    }
    return true;
}

static void client_list(struct request *req)
{
    const struct client *client = req->engine->clients_first;
    struct text text = {0};
    int class = -1;

    if (req->argc > 3 && argument_is(req, 2, "id")) {
        if (list_by_id(req, &text))
            reply_text(req, &text);
        text_release(&text);
        return;
    }
    if (req->argc == 4 && argument_is(req, 2, "type")) {
        class = parse_class(req->argv[3]);
        if (class < 0) {
            reply_unknown_class(req, 3);
            return;
        }
    } else if (req->argc != 2) {
        reply_syntax_error(req);
        return;
    }
    for (; client; client = client->next)
        if (!(client->flags & CLIENT_CLOSING) && (class < 0 || (int)client_class_of(client) == class))
            add_client(&text, client);
    reply_text(req, &text);
}

/* --- names ---------------------------------------------------------------------------------------------------- */

static void client_setname(struct request *req)
{
    if (!client_name_is_valid(req->argv[2])) {
        reply_error(req, ERR_CLIENT_NAME);
        return;
    }
    client_set_name(req->client, req->argv[2]);
    reply_ok(req);
}

static void client_getname(struct request *req)
{
    if (req->client->name)
        reply_bulk(req, (struct bytes){req->client->name, req->client->name_len});
    else
        reply_null(req);
}

static void client_setinfo(struct request *req)
{
    char **field;

    if (argument_is(req, 2, "lib-name"))
        field = &req->client->lib_name;
    else if (argument_is(req, 2, "lib-ver"))
        field = &req->client->lib_version;
    else {
        reply_error_format(req, "ERR Unrecognized option '%.*s'", (int)req->argv[2].len,
                           req->argv[2].data);
        return;
    }
    if (!client_name_is_valid(req->argv[3])) {
        reply_error_format(req,
                           "ERR %.*s cannot contain spaces, newlines or special characters.",
                           (int)req->argv[2].len, req->argv[2].data);
        return;
    }
    client_set_text(field, req->argv[3]);
    reply_ok(req);
}

/* --- KILL ------------------------------------------------------------------------------------------------------ */

struct kill_filter {
    uint64_t id;
    const struct bytes *address, *own_address, *user;
    int class; /* -1: any */
    int64_t age_max; /* seconds at least; 0: any */
    bool skip_me;
};

static bool parse_kill_filter_or_reply(struct request *req, struct kill_filter *filter)
{
    int64_t id;

    for (int i = 2; i < req->argc; i += 2) {
        if (i + 1 >= req->argc) {
            reply_syntax_error(req);
            return false;
        }
        if (argument_is(req, i, "id")) {
            if (!parse_int_range_or_reply(req, i + 1, 1, INT64_MAX, &id,
                                          "ERR client-id should be greater than 0"))
                return false;
            filter->id = (uint64_t)id;
        } else if (argument_is(req, i, "type")) {
            filter->class = parse_class(req->argv[i + 1]);
            if (filter->class < 0) {
                reply_unknown_class(req, i + 1);
                return false;
            }
        } else if (argument_is(req, i, "addr")) {
            filter->address = &req->argv[i + 1];
        } else if (argument_is(req, i, "laddr")) {
            filter->own_address = &req->argv[i + 1];
        } else if (argument_is(req, i, "user")) {
            if (!bytes_equal(req->argv[i + 1], BYTES("default"))) {
                reply_error_format(req, "ERR No such user '%.*s'", (int)req->argv[i + 1].len,
                                   req->argv[i + 1].data);
                return false;
            }
        } else if (argument_is(req, i, "maxage")) {
            if (!parse_int_range_or_reply(req, i + 1, INT64_MIN, INT64_MAX, &filter->age_max,
                                          "ERR maxage is not an integer or out of range"))
                return false;
            if (filter->age_max <= 0) {
                reply_error(req, "ERR maxage should be greater than 0");
                return false;
            }
        } else if (argument_is(req, i, "skipme") &&
                   (argument_is(req, i + 1, "yes") || argument_is(req, i + 1, "no"))) {
            filter->skip_me = argument_is(req, i + 1, "yes");
        } else {
            reply_syntax_error(req);
            return false;
        }
    }
    return true;
}

static bool matches(const struct client *client, const struct kill_filter *filter)
{
    const struct engine *engine = client->engine;
    char name[SOCKET_NAME_MAX];

    if (client->flags & (CLIENT_CLOSING | CLIENT_CLOSE_AFTER_REPLY))
        return false;
    if (filter->id && client->id != filter->id)
        return false;
    if (filter->class >= 0 && (int)client_class_of(client) != filter->class)
        return false;
    if (filter->age_max && (clock_now_ms(engine->clock) - client->created_ms) / 1000 < filter->age_max)
        return false;
    if (filter->address) {
        socket_peer_name(client->fd, engine->unix_path, name, sizeof name);
        if (!bytes_equal(*filter->address, bytes_from_string(name)))
            return false;
    }
    if (filter->own_address) {
        socket_own_name(client->fd, engine->unix_path, name, sizeof name);
        if (!bytes_equal(*filter->own_address, bytes_from_string(name)))
            return false;
    }
    return true;
}

/* The one that asks gets its answer first. */
static int64_t kill_matching(struct request *req, const struct kill_filter *filter)
{
    struct client *next;
    int64_t killed = 0;

    for (struct client *client = req->engine->clients_first; client; client = next) {
        next = client->next;
        if (!matches(client, filter) || (filter->skip_me && client == req->client))
            continue;
        if (client == req->client)
            client_close_after_reply(client);
        else
            client_close(client);
        killed++;
    }
    return killed;
}

static void client_kill(struct request *req)
{
    struct kill_filter filter = {.class = -1, .skip_me = true};
    int64_t killed;

    if (req->argc == 3) { /* the old form */
        filter.address = &req->argv[2];
        filter.skip_me = false;
        if (kill_matching(req, &filter))
            reply_ok(req);
        else
            reply_error(req, "ERR No such client");
        return;
    }
    if (!parse_kill_filter_or_reply(req, &filter))
        return;
    killed = kill_matching(req, &filter);
    reply_int(req, killed);
}

/* --- switches ---------------------------------------------------------------------------------------------------- */

static void set_switch(struct request *req, uint32_t flag)
{
    if (argument_is(req, 2, "on"))
        req->client->flags |= flag;
    else if (argument_is(req, 2, "off"))
        req->client->flags &= ~flag;
    else {
        reply_syntax_error(req);
        return;
    }
    reply_ok(req);
}

static void client_no_evict(struct request *req) { set_switch(req, CLIENT_NO_EVICT); }
static void client_no_touch(struct request *req) { set_switch(req, CLIENT_NO_TOUCH); }

static void client_reply(struct request *req)
{
    struct client *client = req->client;

    if (argument_is(req, 2, "on")) {
        client->flags &= ~(CLIENT_REPLY_OFF | CLIENT_REPLY_SKIP | CLIENT_REPLY_SKIP_NEXT);
        reply_unmute(req);
        reply_ok(req);
    } else if (argument_is(req, 2, "off")) {
        client->flags |= CLIENT_REPLY_OFF;
    } else if (argument_is(req, 2, "skip")) {
        if (!(client->flags & CLIENT_REPLY_OFF))
            client->flags |= CLIENT_REPLY_SKIP;
    } else {
        reply_syntax_error(req);
    }
}

/* --- waiting ------------------------------------------------------------------------------------------------------ */

static void client_pause(struct request *req)
{
    int64_t end_ms;
    bool is_all = true;

    if (req->argc == 4) {
        if (argument_is(req, 3, "write"))
            is_all = false;
        else if (!argument_is(req, 3, "all")) {
            reply_error(req, "ERR CLIENT PAUSE mode must be WRITE or ALL");
            return;
        }
    } else if (req->argc != 3) {
        reply_subcommand_error(req);
        return;
    }
    if (!parse_timeout_ms_or_reply(req, 2, &end_ms))
        return;
    pause_begin(req->engine, end_ms, is_all);
    reply_ok(req);
}

static void client_unpause(struct request *req)
{
    pause_end(req->engine);
    reply_ok(req);
}

static void client_unblock(struct request *req)
{
    bool with_error = false;
    struct client *client;
    int64_t id;

    if (req->argc == 4) {
        with_error = argument_is(req, 3, "error");
        if (!with_error && !argument_is(req, 3, "timeout")) {
            reply_error(req, "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
            return;
        }
    } else if (req->argc != 3) {
        reply_subcommand_error(req);
        return;
    }
    if (!parse_int_or_reply(req, 2, &id))
        return;
    client = engine_client_by_id(req->engine, (uint64_t)id);
    reply_int(req, client && blocking_unblock(client, with_error));
}

static void client_getredir(struct request *req) { reply_int(req, -1); }

static void client_trackinginfo(struct request *req)
{
    reply_map(req, 3);
    reply_bulk_string(req, "flags");
    reply_set(req, 1);
    reply_bulk_string(req, "off");
    reply_bulk_string(req, "redirect");
    reply_int(req, -1);
    reply_bulk_string(req, "prefixes");
    reply_array(req, 0);
}

/* --- the table ---------------------------------------------------------------------------------------------------- */

#define CLIENT_FLAGS (CMD_NOSCRIPT | CMD_LOADING | CMD_STALE)
#define ADMIN_FLAGS  (CLIENT_FLAGS | CMD_ADMIN | CMD_DANGEROUS)

static const struct command client_subcommands[] = {
    {"getname", client_getname, 2, CLIENT_FLAGS, {0, 0, 0}, NULL, "2.6.9", "O(1)", "",
     "Returns the name of the connection."},
    {"getredir", client_getredir, 2, CLIENT_FLAGS, {0, 0, 0}, NULL, "6.0.0", "O(1)", "",
     "Returns the client that tracking messages go to, -1 without tracking."},
    {"help", cmd_help, 2, CMD_LOADING | CMD_STALE, {0, 0, 0}, NULL, "5.0.0", "O(1)", "",
     "Prints this help."},
    {"id", client_id, 2, CLIENT_FLAGS, {0, 0, 0}, NULL, "5.0.0", "O(1)", "",
     "Returns the number of the connection."},
    {"info", client_info, 2, CLIENT_FLAGS, {0, 0, 0}, NULL, "6.2.0", "O(1)", "",
     "Describes the connection.",
     .tips = "nondeterministic_output"},
    {"kill", client_kill, -3, ADMIN_FLAGS, {0, 0, 0}, NULL, "2.4.0", "O(N) clients",
     "<ip:port | <[ID client-id] | [TYPE <NORMAL | MASTER | SLAVE | REPLICA | PUBSUB>] | [USER username] | "
     "[ADDR ip:port] | [LADDR ip:port] | [SKIPME <YES | NO>] | [MAXAGE maxage]> ...>",
     "Closes connections.",
     .history = "2.8.12 Filters by words.\n"
                "2.8.12 ID.\n"
                "3.2.0 TYPE MASTER.\n"
                "5.0.0 TYPE REPLICA, beside SLAVE.\n"
                "6.2.0 LADDR.\n"
                "7.4.0 MAXAGE.",
     .argument_since = "ID 2.8.12, TYPE 2.8.12, MASTER 3.2.0, "
                       "REPLICA 5.0.0, LADDR 6.2.0, MAXAGE 7.4.0"},
    {"list", client_list, -2, ADMIN_FLAGS, {0, 0, 0}, NULL, "2.4.0", "O(N) clients",
     "[TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]]",
     "Describes connections, one a line.",
     .tips = "nondeterministic_output",
     .history = "2.8.12 The field id.\n"
                "5.0.0 TYPE.\n"
                "6.0.0 The field user.\n"
                "6.2.0 ID; the fields argv-mem, tot-mem, laddr and redir.\n"
                "7.0.0 The fields resp, multi-mem, rbs and rbp.\n"
                "7.0.3 The field ssub.\n"
                "7.2.0 The fields lib-name and lib-ver.",
     .argument_since = "TYPE 5.0.0, ID 6.2.0"},
    {"no-evict", client_no_evict, 3, ADMIN_FLAGS, {0, 0, 0}, NULL, "7.0.0", "O(1)", "ON | OFF",
     "Keeps the connection when memory for clients is out."},
    {"no-touch", client_no_touch, 3, CLIENT_FLAGS, {0, 0, 0}, NULL, "7.2.0", "O(1)", "ON | OFF",
     "Lets the connection's commands leave the access clocks of keys alone."},
    {"pause", client_pause, -3, ADMIN_FLAGS, {0, 0, 0}, NULL, "3.0.0", "O(1)",
     "timeout [WRITE | ALL]", "Makes the commands of all clients wait for some milliseconds.",
     .history = "6.2.0 The mode: WRITE or ALL.",
     .argument_since = "mode 6.2.0"},
    {"reply", client_reply, 3, CLIENT_FLAGS, {0, 0, 0}, NULL, "3.2.0", "O(1)", "ON | OFF | SKIP",
     "Says whether the connection gets replies."},
    {"setinfo", client_setinfo, 4, CLIENT_FLAGS, {0, 0, 0}, NULL, "7.2.0", "O(1)",
     "LIB-NAME libname | LIB-VER libver", "Names the client library of the connection.",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
    {"setname", client_setname, 3, CLIENT_FLAGS, {0, 0, 0}, NULL, "2.6.9", "O(1)",
     "connection-name", "Names the connection.",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
    {"trackinginfo", client_trackinginfo, 2, CLIENT_FLAGS, {0, 0, 0}, NULL, "6.2.0", "O(1)", "",
     "Returns how the connection tracks keys."},
    {"unblock", client_unblock, -3, ADMIN_FLAGS, {0, 0, 0}, NULL, "5.0.0", "O(1)",
     "client-id [TIMEOUT | ERROR]", "Ends the waiting of a client in a blocking command."},
    {"unpause", client_unpause, 2, ADMIN_FLAGS, {0, 0, 0}, NULL, "6.2.0",
     "O(N) clients that wait", "", "Ends CLIENT PAUSE."},
    {0},
};

static const struct command client_commands[] = {
    {"client", NULL, -2, 0, {0, 0, 0}, client_subcommands, "2.4.0", "", "",
     "Shows connections and steers them."},
};
REGISTER_COMMANDS("connection", client_commands);
