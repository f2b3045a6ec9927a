/* Lists: taking values out, from one list or the first of several, at once or when some come. */
#include "cmd_list_internal.h"
#include "pop_several_internal.h"

#include "base/numbers.h"
#include "ds/listpack.h"
#include "engine/blocking.h"
#include "engine/propagate.h"

static void reply_outermost(struct request *req, const struct list *list, enum list_end end)
{
    char text[LISTPACK_TEXT_MAX];
    struct bytes value;

    list_get(list, end == LIST_HEAD ? 0 : -1, text, &value);
    reply_bulk(req, value);
}

static void reply_and_take(struct request *req, struct key_ref *ref, struct bytes key,
                           enum list_end end)
{
    reply_outermost(req, entry_value(ref->entry), end);
    list_take(req, ref, key, end, 1);
}

/* An array of up to 'limit' values; returns how many were taken. */
static size_t reply_and_take_several(struct request *req, struct key_ref *ref, struct bytes key,
                                     enum list_end end, int64_t limit)
{
    struct list *list = entry_value(ref->entry);
    size_t size = list_size(list), count = (uint64_t)limit < size ? (size_t)limit : size;
    struct list_iter iter;
    struct bytes value;

    reply_array(req, count);
    if (!count)
        return 0;
    list_iter_init(&iter, list, end == LIST_HEAD ? 0 : -1, end == LIST_HEAD ? LIST_TAIL : LIST_HEAD);
    for (size_t i = 0; i < count && list_iter_next(&iter, &value); i++)
        reply_bulk(req, value);
    list_take(req, ref, key, end, count);
    return count;
}

static struct bytes pop_word(enum list_end end)
{
    return end == LIST_HEAD ? BYTES("LPOP") : BYTES("RPOP");
}

/* --- one list ------------------------------------------------------------------------------------------- */

static void pop(struct request *req, enum list_end end)
{
    bool has_count = req->argc == 3;
    struct key_ref ref;
    int64_t count = 1;

    if (req->argc > 3) {
        reply_wrong_arity(req);
        return;
    }
    if (has_count && !parse_int_range_or_reply(req, 2, 0, INT64_MAX, &count, ERR_NOT_POSITIVE))
        return;
    if (!key_find_or_reply(req, 1, VALUE_LIST, LOOKUP_WRITE, &ref))
        return;
    if (!ref.entry) {
        if (has_count)
            reply_null_array(req);
        else
            reply_null(req);
        return;
    }
    if (has_count)
        reply_and_take_several(req, &ref, req->argv[1], end, count);
    else
        reply_and_take(req, &ref, req->argv[1], end);
}

static void cmd_lpop(struct request *req) { pop(req, LIST_HEAD); }
static void cmd_rpop(struct request *req) { pop(req, LIST_TAIL); }

/* --- from the first of several that has something ------------------------------------------------------- */

/* Travels as the pop that it was. */
static void blocking_pop(struct request *req, enum list_end end)
{
    int last_key = req->argc - 2, at;
    struct key_ref ref;
    int64_t deadline_ms;

    if (!parse_timeout_or_reply(req, req->argc - 1, &deadline_ms) ||
        !pop_find_or_reply(req, VALUE_LIST, 1, last_key, &ref, &at))
        return;
    if (!at) {
        block_on_keys(req, 1, last_key, VALUE_LIST, deadline_ms, DENIED_NULL_ARRAY);
        return;
    }
    reply_array(req, 2);
    reply_bulk(req, req->argv[at]);
    reply_and_take(req, &ref, req->argv[at], end);
    propagate_instead(req, 2, (struct bytes[]){pop_word(end), req->argv[at]});
}

static void cmd_blpop(struct request *req) { blocking_pop(req, LIST_HEAD); }
static void cmd_brpop(struct request *req) { blocking_pop(req, LIST_TAIL); }

static void take_several(struct request *req, struct key_ref *ref, int at, int end, int64_t limit)
{
    char text[INT64_TEXT_MAX];
    size_t taken;

    reply_array(req, 2);
    reply_bulk(req, req->argv[at]);
    taken = reply_and_take_several(req, ref, req->argv[at], (enum list_end)end, limit);
    propagate_instead(req, 3, (struct bytes[]){pop_word((enum list_end)end), req->argv[at],
                                               {text, uint64_format(text, taken)}});
}

static const struct pop_family lists = {
    VALUE_LIST, {[LIST_HEAD] = "left", [LIST_TAIL] = "right"}, take_several};

static void cmd_lmpop(struct request *req) { pop_several(req, &lists); }
static void cmd_blmpop(struct request *req) { pop_several_waiting(req, &lists); }

/* --- the table ------------------------------------------------------------------------------------------ */

#define TAKES (KEY_RW | KEY_ACCESS | KEY_DELETE)

static const struct key_rule takes[] = {
    {TAKES, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}}, {0}};
static const struct key_rule takes_from_any[] = {
    {TAKES, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {-2, 1, 0}}, {0}};
static const struct key_rule takes_from_counted[] = {
    {TAKES, KEY_AT_INDEX, 1, NULL, KEY_COUNTED, {0, 1, 1}}, {0}};
static const struct key_rule takes_from_counted_behind_timeout[] = {
    {TAKES, KEY_AT_INDEX, 2, NULL, KEY_COUNTED, {0, 1, 1}}, {0}};

static const struct command list_pop_commands[] = {
    {"lpop", cmd_lpop, -2, CMD_WRITE | CMD_FAST, {1, 1, 1}, NULL, "1.0.0", "O(N) elements",
     "key [count]", "Takes the first elements from a list.", takes,
     .history = "6.2.0 A count.",
     .argument_since = "count 6.2.0"},
    {"rpop", cmd_rpop, -2, CMD_WRITE | CMD_FAST, {1, 1, 1}, NULL, "1.0.0", "O(N) elements",
     "key [count]", "Takes the last elements from a list.", takes,
     .history = "6.2.0 A count.",
     .argument_since = "count 6.2.0"},
    {"lmpop", cmd_lmpop, -4, CMD_WRITE, {0, 0, 0}, NULL, "7.0.0", "O(N+M) keys and elements",
     "numkeys key [key ...] <LEFT | RIGHT> [COUNT count]",
     "Takes elements from the first list that has any.", takes_from_counted},
    {"blpop", cmd_blpop, -3, CMD_WRITE | CMD_BLOCKING, {1, -2, 1}, NULL, "2.0.0", "O(N) keys",
     "key [key ...] timeout", "Takes the first element of the first list that has one, and waits for one.",
     takes_from_any,
     .history = "6.0.0 The timeout may have a fraction."},
    {"brpop", cmd_brpop, -3, CMD_WRITE | CMD_BLOCKING, {1, -2, 1}, NULL, "2.0.0", "O(N) keys",
     "key [key ...] timeout", "Takes the last element of the first list that has one, and waits for one.",
     takes_from_any,
     .history = "6.0.0 The timeout may have a fraction."},
    {"blmpop", cmd_blmpop, -5, CMD_WRITE | CMD_BLOCKING, {0, 0, 0}, NULL, "7.0.0",
     "O(N+M) keys and elements", "timeout numkeys key [key ...] <LEFT | RIGHT> [COUNT count]",
     "Takes elements from the first list that has any, and waits for some.",
     takes_from_counted_behind_timeout},
};
REGISTER_COMMANDS("list", list_pop_commands);
