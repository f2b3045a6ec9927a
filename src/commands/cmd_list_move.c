/* Lists: from one into another, at once or when something comes. */
#include "cmd_list_internal.h"

#include "base/mem.h"
#include "ds/listpack.h"
#include "engine/blocking.h"
#include "engine/propagate.h"

struct move {
    enum list_end from, to;
    struct key_ref source;
};

/* 'value' is a view of what is taken: it must outlive the taking. */
static void rotate(struct list *list, const struct move *move, struct bytes value)
{
    char *copy = mem_alloc(value.len + 1);

    memcpy(copy, value.data, value.len);
    list_drop(list, move->from, 1);
    list_push(list, move->to, (struct bytes){copy, value.len});
    mem_free(copy, value.len + 1);
}

/* The source has something, the destination is a list (which may be the same) or absent. */
static void move_one(struct request *req, struct move *move)
{
    struct list *source = entry_value(move->source.entry);
    char text[LISTPACK_TEXT_MAX];
    struct bytes value, from_key = req->argv[1], to_key = req->argv[2];
    struct key_ref to = key_find(req, 2, LOOKUP_WRITE);

    list_get(source, move->from == LIST_HEAD ? 0 : -1, text, &value);
    reply_bulk(req, value);
    if (to.entry && entry_value(to.entry) == source) {
        rotate(source, move, value);
    } else {
        list_push(list_make_at(&to, to_key), move->to, value);
        list_drop(source, move->from, 1);
    }
    key_changed(req, req->db, to_key, list_push_event(move->to), 1);
    move->source = key_find(req, 1, LOOKUP_WRITE); /* adding the destination may have moved the table */
    list_report_taken(req, &move->source, from_key, list_pop_event(move->from), 1);
}

/* False when the source is of another type, or has something while the destination is. */
static bool find_keys_or_reply(struct request *req, struct move *move)
{
    struct key_ref to;

    if (!key_find_or_reply(req, 1, VALUE_LIST, LOOKUP_WRITE, &move->source))
        return false;
    if (!move->source.entry)
        return true;
    if (!key_find_or_reply(req, 2, VALUE_LIST, LOOKUP_WRITE, &to))
        return false;
    move->source = key_find(req, 1, LOOKUP_WRITE); /* looking for the destination may have expired it */
    return true;
}

static void move_at_once(struct request *req, struct move *move)
{
    if (!find_keys_or_reply(req, move))
        return;
    if (move->source.entry)
        move_one(req, move);
    else
        reply_null(req);
}

/* Returns true when something was moved, and it remains to be said what travels. */
static bool move_or_wait(struct request *req, struct move *move, int64_t deadline_ms)
{
    if (!find_keys_or_reply(req, move))
        return false;
    if (!move->source.entry) {
        block_on_keys(req, 1, 1, VALUE_LIST, deadline_ms, DENIED_NULL);
        return false;
    }
    move_one(req, move);
    return true;
}

static bool parse_ends_or_reply(struct request *req, struct move *move)
{
    return list_parse_end_or_reply(req, 3, &move->from) && list_parse_end_or_reply(req, 4, &move->to);
}

static void cmd_lmove(struct request *req)
{
    struct move move;

    if (parse_ends_or_reply(req, &move))
        move_at_once(req, &move);
}

static void cmd_rpoplpush(struct request *req)
{
    struct move move = {.from = LIST_TAIL, .to = LIST_HEAD};

    move_at_once(req, &move);
}

static const struct bytes end_words[] = {[LIST_HEAD] = {"LEFT", 4}, [LIST_TAIL] = {"RIGHT", 5}};

static void cmd_blmove(struct request *req)
{
    struct move move;
    int64_t deadline_ms;

    if (parse_ends_or_reply(req, &move) && parse_timeout_or_reply(req, 5, &deadline_ms) &&
        move_or_wait(req, &move, deadline_ms))
        propagate_instead(req, 5, (struct bytes[]){BYTES("LMOVE"), req->argv[1], req->argv[2],
                                                   end_words[move.from], end_words[move.to]});
}

static void cmd_brpoplpush(struct request *req)
{
    struct move move = {.from = LIST_TAIL, .to = LIST_HEAD};
    int64_t deadline_ms;

    if (parse_timeout_or_reply(req, 3, &deadline_ms) && move_or_wait(req, &move, deadline_ms))
        propagate_instead(req, 3, (struct bytes[]){BYTES("RPOPLPUSH"), req->argv[1], req->argv[2]});
}

/* --- the table ------------------------------------------------------------------------------------------ */

static const struct key_rule moves[] = {
    {KEY_RW | KEY_ACCESS | KEY_DELETE, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}},
    {KEY_RW | KEY_INSERT, KEY_AT_INDEX, 2, NULL, KEY_RANGE, {0, 1, 0}}, {0}};

static const struct command list_move_commands[] = {
    {"lmove", cmd_lmove, 5, CMD_WRITE | CMD_GROWS, {1, 2, 1}, NULL, "6.2.0", "O(1)",
     "source destination <LEFT | RIGHT> <LEFT | RIGHT>",
     "Takes an element from one list and puts it into another.", moves},
    {"rpoplpush", cmd_rpoplpush, 3, CMD_WRITE | CMD_GROWS, {1, 2, 1}, NULL, "1.2.0", "O(1)",
     "source destination", "Takes the last element of one list and puts it in front of another.",
     moves, NULL, "6.2.0", "`LMOVE` with the `RIGHT` and `LEFT` arguments"},
    {"blmove", cmd_blmove, 6, CMD_WRITE | CMD_GROWS | CMD_BLOCKING, {1, 2, 1}, NULL, "6.2.0",
     "O(1)", "source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout",
     "Takes an element from one list and puts it into another, and waits for one.", moves},
    {"brpoplpush", cmd_brpoplpush, 4, CMD_WRITE | CMD_GROWS | CMD_BLOCKING, {1, 2, 1}, NULL, "2.2.0",
     "O(1)", "source destination timeout",
     "Takes the last element of one list and puts it in front of another, and waits for one.", moves,
     NULL, "6.2.0", "`BLMOVE` with the `RIGHT` and `LEFT` arguments",
     .history = "6.0.0 The timeout may have a fraction."},
};
REGISTER_COMMANDS("list", list_move_commands);
