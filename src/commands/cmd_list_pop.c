/* Lists: taking values out, from one list or the first of several, at once or when some come. */
#include "cmd_list_internal.h"

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

/* --- the first of several that has something ------------------------------------------------------------ */

/* Finds it. '*at' is its argument, 0 when there is none. */
static bool find_first_or_reply(struct request *req, int first, int last, struct key_ref *ref, int *at)
{
    for (*at = first; *at <= last; ++*at) {
        if (!key_find_or_reply(req, *at, VALUE_LIST, LOOKUP_WRITE, ref))
            return false;
        if (ref->entry)
            return true;
    }
    *at = 0;
    return true;
}

/* Travels as the pop that it was. */
static void blocking_pop(struct request *req, enum list_end end)
{
    int last_key = req->argc - 2, at;
    struct key_ref ref;
    int64_t deadline_ms;

    if (!parse_timeout_or_reply(req, req->argc - 1, &deadline_ms) ||
        !find_first_or_reply(req, 1, last_key, &ref, &at))
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

/* numkeys key [key ...] LEFT | RIGHT [COUNT count] */
struct multi_pop {
    int first_key, last_key;
    enum list_end end;
    int64_t limit;
};

static bool parse_limit_or_reply(struct request *req, int at, int64_t *limit)
{
    bool has_limit = req->argc >= at + 2 && argument_is(req, at, "count");

    if (has_limit &&
        !parse_int_range_or_reply(req, at + 1, 1, INT64_MAX, limit, ERR_COUNT_NOT_POSITIVE))
        return false;
    if (req->argc == at + (has_limit ? 2 : 0))
        return true;
    reply_syntax_error(req);
    return false;
}

static bool parse_multi_pop_or_reply(struct request *req, int at, struct multi_pop *pop)
{
    int64_t keys;

    if (!parse_int_range_or_reply(req, at, 1, INT64_MAX, &keys, ERR_NUMKEYS_NOT_POSITIVE))
        return false;
    if (keys >= req->argc - at - 1) {
        reply_syntax_error(req);
        return false;
    }
    pop->first_key = at + 1;
    pop->last_key = at + (int)keys;
    pop->limit = 1;
    return list_parse_end_or_reply(req, pop->last_key + 1, &pop->end) &&
           parse_limit_or_reply(req, pop->last_key + 2, &pop->limit);
}

static void take_multi(struct request *req, const struct multi_pop *pop, struct key_ref *ref, int at)
{
    char text[INT64_TEXT_MAX];
    size_t taken;

    reply_array(req, 2);
    reply_bulk(req, req->argv[at]);
    taken = reply_and_take_several(req, ref, req->argv[at], pop->end, pop->limit);
    propagate_instead(req, 3, (struct bytes[]){pop_word(pop->end), req->argv[at],
                                               {text, uint64_format(text, taken)}});
}

static void cmd_lmpop(struct request *req)
{
    struct multi_pop pop;
    struct key_ref ref;
    int at;

    if (!parse_multi_pop_or_reply(req, 1, &pop) ||
        !find_first_or_reply(req, pop.first_key, pop.last_key, &ref, &at))
        return;
    if (at)
        take_multi(req, &pop, &ref, at);
    else
        reply_null_array(req);
}

static void cmd_blmpop(struct request *req)
{
    int64_t deadline_ms;
    struct multi_pop pop;
    struct key_ref ref;
    int at;

    if (!parse_multi_pop_or_reply(req, 2, &pop) || !parse_timeout_or_reply(req, 1, &deadline_ms) ||
        !find_first_or_reply(req, pop.first_key, pop.last_key, &ref, &at))
        return;
    if (at)
        take_multi(req, &pop, &ref, at);
    else
        block_on_keys(req, pop.first_key, pop.last_key, VALUE_LIST, deadline_ms, DENIED_NULL_ARRAY);
}

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
     "key [count]", "Takes the first elements from a list.", takes},
    {"rpop", cmd_rpop, -2, CMD_WRITE | CMD_FAST, {1, 1, 1}, NULL, "1.0.0", "O(N) elements",
     "key [count]", "Takes the last elements from a list.", takes},
    {"lmpop", cmd_lmpop, -4, CMD_WRITE, {0, 0, 0}, NULL, "7.0.0", "O(N+M) keys and elements",
     "numkeys key [key ...] <LEFT | RIGHT> [COUNT count]",
     "Takes elements from the first list that has any.", takes_from_counted},
    {"blpop", cmd_blpop, -3, CMD_WRITE | CMD_BLOCKING, {1, -2, 1}, NULL, "2.0.0", "O(N) keys",
     "key [key ...] timeout", "Takes the first element of the first list that has one, and waits for one.",
     takes_from_any},
    {"brpop", cmd_brpop, -3, CMD_WRITE | CMD_BLOCKING, {1, -2, 1}, NULL, "2.0.0", "O(N) keys",
     "key [key ...] timeout", "Takes the last element of the first list that has one, and waits for one.",
     takes_from_any},
    {"blmpop", cmd_blmpop, -5, CMD_WRITE | CMD_BLOCKING, {0, 0, 0}, NULL, "7.0.0",
     "O(N+M) keys and elements", "timeout numkeys key [key ...] <LEFT | RIGHT> [COUNT count]",
     "Takes elements from the first list that has any, and waits for some.",
     takes_from_counted_behind_timeout},
};
REGISTER_COMMANDS("list", list_pop_commands);
