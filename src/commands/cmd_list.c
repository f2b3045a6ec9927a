/* Lists. */
#include "base/mem.h"
#include "ds/listpack.h"
#include "engine/blocking.h"
#include "engine/events.h"
#include "engine/propagate.h"
#include "engine/request.h"
#include "types/list.h"

static const struct event_kind EVENT_LPUSH = {EVENT_CLASS_LIST, "lpush"};
static const struct event_kind EVENT_RPUSH = {EVENT_CLASS_LIST, "rpush"};
static const struct event_kind EVENT_LPOP = {EVENT_CLASS_LIST, "lpop"};
static const struct event_kind EVENT_RPOP = {EVENT_CLASS_LIST, "rpop"};

static const struct event_kind *push_event(enum list_end end)
{
    return end == LIST_HEAD ? &EVENT_LPUSH : &EVENT_RPUSH;
}

static const struct event_kind *pop_event(enum list_end end)
{
    return end == LIST_HEAD ? &EVENT_LPOP : &EVENT_RPOP;
}

/* The list at a found or absent key, made when absent. */
static struct list *list_at(struct key_ref *ref, struct bytes key)
{
    if (!ref->entry)
        store_add(ref, key, VALUE_LIST, list_new());
    return entry_value(ref->entry);
}

/* After something was taken: reports it, and removes a list that is empty now. */
static void list_shrunk(struct request *req, struct key_ref *ref, struct bytes key,
                        const struct event_kind *event, int64_t taken)
{
    bool is_empty = list_size(entry_value(ref->entry)) == 0;

    key_changed(req, req->db, key, event, taken);
    if (is_empty) {
        store_remove(ref);
        key_removed(req, req->db, key, &EVENT_DEL, 0);
    }
}

/* --- pushing -------------------------------------------------------------------------------------------- */

static void push(struct request *req, enum list_end end, bool only_existing)
{
    struct key_ref ref;
    struct list *list;

    if (!key_find_or_reply(req, 1, VALUE_LIST, LOOKUP_WRITE, &ref))
        return;
    if (!ref.entry && only_existing) {
        reply_int(req, 0);
        return;
    }
    list = list_at(&ref, req->argv[1]);
    list_push_all(list, end, req->argv + 2, (size_t)req->argc - 2);
    reply_int(req, (int64_t)list_size(list));
    key_changed(req, req->db, req->argv[1], push_event(end), req->argc - 2);
}

static void cmd_lpush(struct request *req) { push(req, LIST_HEAD, false); }
static void cmd_rpush(struct request *req) { push(req, LIST_TAIL, false); }

/* --- popping -------------------------------------------------------------------------------------------- */

/* Replies the outermost value and takes it out. */
static void reply_and_take(struct request *req, struct key_ref *ref, struct bytes key,
                           enum list_end end)
{
    struct list *list = entry_value(ref->entry);
    char text[LISTPACK_TEXT_MAX];
    struct bytes value;

    list_get(list, end == LIST_HEAD ? 0 : -1, text, &value);
    reply_bulk(req, value);
    list_drop(list, end, 1);
    list_shrunk(req, ref, key, pop_event(end), 1);
}

static void reply_and_take_several(struct request *req, struct key_ref *ref, enum list_end end,
                                   size_t count)
{
    struct list *list = entry_value(ref->entry);
    struct list_iter iter;
    struct bytes value;

    reply_array(req, count);
    if (!count)
        return;
    list_iter_init(&iter, list, end == LIST_HEAD ? 0 : -1, end == LIST_HEAD ? LIST_TAIL : LIST_HEAD);
    for (size_t i = 0; i < count && list_iter_next(&iter, &value); i++)
        reply_bulk(req, value);
    list_drop(list, end, count);
    list_shrunk(req, ref, req->argv[1], pop_event(end), (int64_t)count);
}

static void pop(struct request *req, enum list_end end)
{
    bool has_count = req->argc == 3;
    struct key_ref ref;
    int64_t count = 1;
    size_t size;

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
    size = list_size(entry_value(ref.entry));
    if (has_count)
        reply_and_take_several(req, &ref, end, (size_t)count < size ? (size_t)count : size);
    else
        reply_and_take(req, &ref, req->argv[1], end);
}

static void cmd_lpop(struct request *req) { pop(req, LIST_HEAD); }
static void cmd_rpop(struct request *req) { pop(req, LIST_TAIL); }

/* --- looking -------------------------------------------------------------------------------------------- */

static void cmd_llen(struct request *req)
{
    struct key_ref ref;

    if (key_find_or_reply(req, 1, VALUE_LIST, LOOKUP_READ, &ref))
        reply_int(req, ref.entry ? (int64_t)list_size(entry_value(ref.entry)) : 0);
}

static void reply_range(struct request *req, const struct list *list, int64_t start, int64_t end)
{
    int64_t size = (int64_t)list_size(list);
    struct list_iter iter;
    struct bytes value;

    if (start < 0)
        start = start + size > 0 ? start + size : 0;
    if (end < 0)
        end += size;
    if (end >= size)
        end = size - 1;
    if (start > end) {
        reply_array(req, 0);
        return;
    }
    reply_array(req, (size_t)(end - start + 1));
    list_iter_init(&iter, list, start, LIST_TAIL);
    for (; start <= end && list_iter_next(&iter, &value); start++)
        reply_bulk(req, value);
}

static void cmd_lrange(struct request *req)
{
    struct key_ref ref;
    int64_t start, end;

    if (!parse_int_or_reply(req, 2, &start) || !parse_int_or_reply(req, 3, &end) ||
        !key_find_or_reply(req, 1, VALUE_LIST, LOOKUP_READ, &ref))
        return;
    if (ref.entry)
        reply_range(req, entry_value(ref.entry), start, end);
    else
        reply_array(req, 0);
}

/* --- waiting -------------------------------------------------------------------------------------------- */

/* Travels as the pop that it was. */
static void blocking_pop(struct request *req, enum list_end end)
{
    int last_key = req->argc - 2;
    int64_t deadline_ms;

    if (!parse_timeout_or_reply(req, req->argc - 1, &deadline_ms))
        return;
    for (int i = 1; i <= last_key; i++) {
        struct key_ref ref;

        if (!key_find_or_reply(req, i, VALUE_LIST, LOOKUP_WRITE, &ref))
            return;
        if (!ref.entry)
            continue;
        reply_array(req, 2);
        reply_bulk(req, req->argv[i]);
        reply_and_take(req, &ref, req->argv[i], end);
        propagate_instead(req, 2, (struct bytes[]){end == LIST_HEAD ? BYTES("LPOP") : BYTES("RPOP"),
                                                   req->argv[i]});
        return;
    }
    block_on_keys(req, 1, last_key, VALUE_LIST, deadline_ms, DENIED_NULL_ARRAY);
}

static void cmd_blpop(struct request *req) { blocking_pop(req, LIST_HEAD); }
static void cmd_brpop(struct request *req) { blocking_pop(req, LIST_TAIL); }

static bool parse_end_or_reply(struct request *req, int at, enum list_end *end)
{
    if (argument_is(req, at, "left"))
        *end = LIST_HEAD;
    else if (argument_is(req, at, "right"))
        *end = LIST_TAIL;
    else {
        reply_syntax_error(req);
        return false;
    }
    return true;
}

/* 'value' is a view of what is taken: it must outlive the taking. */
static void rotate(struct list *list, enum list_end from, enum list_end to, struct bytes value)
{
    char *copy = mem_alloc(value.len + 1);

    memcpy(copy, value.data, value.len);
    list_drop(list, from, 1);
    list_push(list, to, (struct bytes){copy, value.len});
    mem_free(copy, value.len + 1);
}

/* Takes from one list and puts into another (or the same); the source has something, the destination is
 * a list or absent. */
static void move(struct request *req, struct key_ref *from, enum list_end from_end,
                 enum list_end to_end)
{
    struct list *source = entry_value(from->entry);
    char text[LISTPACK_TEXT_MAX];
    struct bytes value, from_key = req->argv[1], to_key = req->argv[2];
    struct key_ref to = key_find(req, 2, LOOKUP_WRITE);

    list_get(source, from_end == LIST_HEAD ? 0 : -1, text, &value);
    reply_bulk(req, value);
    if (entry_value(from->entry) == (to.entry ? entry_value(to.entry) : NULL)) {
        rotate(source, from_end, to_end, value);
    } else {
        list_push(list_at(&to, to_key), to_end, value);
        list_drop(source, from_end, 1);
    }
    key_changed(req, req->db, to_key, push_event(to_end), 1);
    *from = key_find(req, 1, LOOKUP_WRITE); /* adding the destination may have moved the table */
    list_shrunk(req, from, from_key, pop_event(from_end), 1);
}

static const struct bytes end_words[] = {[LIST_HEAD] = {"LEFT", 4}, [LIST_TAIL] = {"RIGHT", 5}};

static void cmd_blmove(struct request *req)
{
    enum list_end from_end, to_end;
    struct key_ref from, to;
    int64_t deadline_ms;

    if (!parse_end_or_reply(req, 3, &from_end) || !parse_end_or_reply(req, 4, &to_end) ||
        !parse_timeout_or_reply(req, 5, &deadline_ms) ||
        !key_find_or_reply(req, 1, VALUE_LIST, LOOKUP_WRITE, &from))
        return;
    if (!from.entry) {
        block_on_keys(req, 1, 1, VALUE_LIST, deadline_ms, DENIED_NULL);
        return;
    }
    if (!key_find_or_reply(req, 2, VALUE_LIST, LOOKUP_WRITE, &to))
        return;
    from = key_find(req, 1, LOOKUP_WRITE); /* looking for the destination may have expired it */
    move(req, &from, from_end, to_end);
    propagate_instead(req, 5, (struct bytes[]){BYTES("LMOVE"), req->argv[1], req->argv[2],
                                               end_words[from_end], end_words[to_end]});
}

/* --- the table ------------------------------------------------------------------------------------------ */

static const struct command list_commands[] = {
    {"lpush", cmd_lpush, -3, CMD_WRITE | CMD_GROWS | CMD_FAST, {1, 1, 1}, NULL, "1.0.0",
     "O(1) an element", "key element [element ...]",
     "Prepends elements to a list, creating it when absent."},
    {"rpush", cmd_rpush, -3, CMD_WRITE | CMD_GROWS | CMD_FAST, {1, 1, 1}, NULL, "1.0.0",
     "O(1) an element", "key element [element ...]",
     "Appends elements to a list, creating it when absent."},
    {"lpop", cmd_lpop, -2, CMD_WRITE | CMD_FAST, {1, 1, 1}, NULL, "1.0.0", "O(N) elements",
     "key [count]", "Takes the first elements from a list."},
    {"rpop", cmd_rpop, -2, CMD_WRITE | CMD_FAST, {1, 1, 1}, NULL, "1.0.0", "O(N) elements",
     "key [count]", "Takes the last elements from a list."},
    {"llen", cmd_llen, 2, CMD_READONLY | CMD_FAST, {1, 1, 1}, NULL, "1.0.0", "O(1)", "key",
     "Returns the length of a list."},
    {"lrange", cmd_lrange, 4, CMD_READONLY, {1, 1, 1}, NULL, "1.0.0",
     "O(S+N), S the distance from the nearer end", "key start stop",
     "Returns the elements between two positions of a list."},
    {"blpop", cmd_blpop, -3, CMD_WRITE | CMD_NOSCRIPT | CMD_BLOCKING, {1, -2, 1}, NULL, "2.0.0",
     "O(N) keys", "key [key ...] timeout",
     "Takes the first element of the first list that has one, and waits for one."},
    {"brpop", cmd_brpop, -3, CMD_WRITE | CMD_NOSCRIPT | CMD_BLOCKING, {1, -2, 1}, NULL, "2.0.0",
     "O(N) keys", "key [key ...] timeout",
     "Takes the last element of the first list that has one, and waits for one."},
    {"blmove", cmd_blmove, 6, CMD_WRITE | CMD_GROWS | CMD_NOSCRIPT | CMD_BLOCKING, {1, 2, 1}, NULL,
     "6.2.0", "O(1)", "source destination LEFT | RIGHT LEFT | RIGHT timeout",
     "Takes an element from one list and puts it into another, and waits for one."},
};
REGISTER_COMMANDS("list", list_commands);
