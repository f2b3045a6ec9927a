/* Lists: putting values in, looking at them, changing them in their places. */
#include "cmd_list_internal.h"

#include "base/mem.h"
#include "ds/listpack.h"
#include "engine/propagate.h"

static const struct event_kind EVENT_LPUSH = {EVENT_CLASS_LIST, "lpush"};
static const struct event_kind EVENT_RPUSH = {EVENT_CLASS_LIST, "rpush"};
static const struct event_kind EVENT_LPOP = {EVENT_CLASS_LIST, "lpop"};
static const struct event_kind EVENT_RPOP = {EVENT_CLASS_LIST, "rpop"};
static const struct event_kind EVENT_LSET = {EVENT_CLASS_LIST, "lset"};
static const struct event_kind EVENT_LINSERT = {EVENT_CLASS_LIST, "linsert"};
static const struct event_kind EVENT_LREM = {EVENT_CLASS_LIST, "lrem"};
static const struct event_kind EVENT_LTRIM = {EVENT_CLASS_LIST, "ltrim"};

const struct event_kind *list_push_event(enum list_end end)
{
    return end == LIST_HEAD ? &EVENT_LPUSH : &EVENT_RPUSH;
}

const struct event_kind *list_pop_event(enum list_end end)
{
    return end == LIST_HEAD ? &EVENT_LPOP : &EVENT_RPOP;
}

bool list_parse_end_or_reply(struct request *req, int at, enum list_end *end)
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

struct list *list_make_at(struct key_ref *ref, struct bytes key)
{
    if (!ref->entry)
        store_add(ref, key, VALUE_LIST, list_new());
    return entry_value(ref->entry);
}

static void remove_emptied(struct request *req, struct key_ref *ref, struct bytes key)
{
    store_remove(ref);
    key_removed(req, req->db, key, &EVENT_DEL, 0);
}

void list_report_taken(struct request *req, struct key_ref *ref, struct bytes key,
                       const struct event_kind *event, int64_t taken)
{
    bool is_empty = list_size(entry_value(ref->entry)) == 0;

    key_changed(req, req->db, key, event, taken);
    if (is_empty)
        remove_emptied(req, ref, key);
}

void list_take(struct request *req, struct key_ref *ref, struct bytes key, enum list_end end,
               size_t count)
{
    struct list *list = entry_value(ref->entry);
    bool is_all = count == list_size(list);

    if (!is_all)
        list_drop(list, end, count);
    key_changed(req, req->db, key, list_pop_event(end), (int64_t)count);
    if (is_all) /* as a whole, which is freed in slices when it is long */
        remove_emptied(req, ref, key);
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
    list = list_make_at(&ref, req->argv[1]);
    list_push_all(list, end, req->argv + 2, (size_t)req->argc - 2);
    reply_int(req, (int64_t)list_size(list));
    key_changed(req, req->db, req->argv[1], list_push_event(end), req->argc - 2);
}

static void cmd_lpush(struct request *req) { push(req, LIST_HEAD, false); }
static void cmd_rpush(struct request *req) { push(req, LIST_TAIL, false); }
static void cmd_lpushx(struct request *req) { push(req, LIST_HEAD, true); }
static void cmd_rpushx(struct request *req) { push(req, LIST_TAIL, true); }

/* --- looking -------------------------------------------------------------------------------------------- */

static void cmd_llen(struct request *req)
{
    struct key_ref ref;

    if (key_find_or_reply(req, 1, VALUE_LIST, LOOKUP_READ, &ref))
        reply_int(req, ref.entry ? (int64_t)list_size(entry_value(ref.entry)) : 0);
}

static void cmd_lindex(struct request *req)
{
    char text[LISTPACK_TEXT_MAX];
    struct bytes value;
    struct key_ref ref;
    int64_t index;

    if (!key_find_or_reply(req, 1, VALUE_LIST, LOOKUP_READ, &ref))
        return;
    if (!ref.entry) {
        reply_null(req);
        return;
    }
    if (!parse_int_or_reply(req, 2, &index))
        return;
    if (list_get(entry_value(ref.entry), index, text, &value))
        reply_bulk(req, value);
    else
        reply_null(req);
}

/* Indexes of the first and the last of a range in a list of so many values. False when there is none. */
static bool clamp_range(int64_t size, int64_t *start, int64_t *end)
{
    if (*start < 0)
        *start = *start + size > 0 ? *start + size : 0;
    if (*end < 0)
        *end += size;
    if (*end >= size)
        *end = size - 1;
    return *start <= *end;
}

static void reply_range(struct request *req, const struct list *list, int64_t start, int64_t end)
{
    struct list_iter iter;
    struct bytes value;

    if (!clamp_range((int64_t)list_size(list), &start, &end)) {
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

/* --- LPOS ----------------------------------------------------------------------------------------------- */

struct position_search {
    struct bytes wanted;
    int64_t rank;    /* which match comes first; negative: seen from the tail */
    int64_t count;   /* of matches; 0: all */
    int64_t max_len; /* values to look at; 0: all */
    bool has_count;  /* the reply is an array */
};

/* One whose sign can be turned. */
static bool parse_signed_count_or_reply(struct request *req, int at, int64_t *count)
{
    return parse_int_or_reply(req, at, count) &&
           parse_int_range_or_reply(req, at, -INT64_MAX, INT64_MAX, count, ERR_OUT_OF_LONG_RANGE);
}

static bool parse_rank_or_reply(struct request *req, int at, int64_t *rank)
{
    if (!parse_signed_count_or_reply(req, at, rank))
        return false;
    if (*rank)
        return true;
    reply_error(req, ERR_RANK_ZERO);
    return false;
}

static bool parse_position_search_or_reply(struct request *req, struct position_search *search)
{
    *search = (struct position_search){.wanted = req->argv[2], .rank = 1, .count = 1};
    for (int i = 3; i < req->argc; i += 2) {
        bool is_good;

        if (i + 1 == req->argc) {
            reply_syntax_error(req);
            return false;
        }
        if (argument_is(req, i, "rank")) {
            is_good = parse_rank_or_reply(req, i + 1, &search->rank);
        } else if (argument_is(req, i, "count")) {
            is_good = parse_int_range_or_reply(req, i + 1, 0, INT64_MAX, &search->count,
                                               ERR_COUNT_NEGATIVE);
            search->has_count = true;
        } else if (argument_is(req, i, "maxlen")) {
            is_good = parse_int_range_or_reply(req, i + 1, 0, INT64_MAX, &search->max_len,
                                               ERR_MAXLEN_NEGATIVE);
        } else {
            reply_syntax_error(req);
            is_good = false;
        }
        if (!is_good)
            return false;
    }
    return true;
}

/* Indexes that were found, as many as there are. */
struct positions {
    int64_t *at;
    size_t count, size;
};

static void positions_add(struct positions *positions, int64_t index)
{
    size_t old = positions->size;

    if (positions->count == old) {
        positions->size = old ? 2 * old : 16;
        positions->at = mem_resize(positions->at, old * sizeof index, positions->size * sizeof index);
    }
    positions->at[positions->count++] = index;
}

static void search_positions(const struct list *list, const struct position_search *search,
                             struct positions *found)
{
    int64_t size = (int64_t)list_size(list);
    int64_t looks = search->max_len && search->max_len < size ? search->max_len : size;
    int64_t to_skip = (search->rank < 0 ? -search->rank : search->rank) - 1;
    enum list_end to = search->rank < 0 ? LIST_HEAD : LIST_TAIL;
    struct list_iter iter;

    list_iter_init(&iter, list, to == LIST_TAIL ? 0 : -1, to);
    for (int64_t i = 0; i < looks && list_iter_step(&iter); i++) {
        if (!list_iter_is(&iter, search->wanted))
            continue;
        if (to_skip > 0) {
            to_skip--;
            continue;
        }
        positions_add(found, to == LIST_TAIL ? i : size - 1 - i);
        if ((int64_t)found->count == search->count)
            return;
    }
}

static void reply_positions(struct request *req, const struct positions *found, bool is_array)
{
    if (is_array)
        reply_array(req, found->count);
    else if (!found->count)
        reply_null(req);
    for (size_t i = 0; i < found->count; i++)
        reply_int(req, found->at[i]);
}

static void cmd_lpos(struct request *req)
{
    struct position_search search;
    struct positions found = {0};
    struct key_ref ref;

    if (!parse_position_search_or_reply(req, &search) ||
        !key_find_or_reply(req, 1, VALUE_LIST, LOOKUP_READ, &ref))
        return;
    if (ref.entry)
        search_positions(entry_value(ref.entry), &search, &found);
    reply_positions(req, &found, search.has_count);
    mem_free(found.at, found.size * sizeof *found.at);
}

/* --- changing ------------------------------------------------------------------------------------------- */

static void cmd_lset(struct request *req)
{
    struct key_ref ref;
    int64_t index;

    if (!key_find_or_reply(req, 1, VALUE_LIST, LOOKUP_WRITE, &ref))
        return;
    if (!ref.entry) {
        reply_error(req, ERR_NO_SUCH_KEY);
        return;
    }
    if (!parse_int_or_reply(req, 2, &index))
        return;
    if (!list_set(entry_value(ref.entry), index, req->argv[3])) {
        reply_error(req, ERR_INDEX);
        return;
    }
    reply_ok(req);
    key_changed(req, req->db, req->argv[1], &EVENT_LSET, 1);
}

/* False when the pivot is not there. */
static bool insert_beside(struct list *list, struct bytes pivot, enum list_end side,
                          struct bytes value)
{
    struct list_iter iter;

    list_expect(list, &value, 1);
    list_iter_init(&iter, list, 0, LIST_TAIL);
    while (list_iter_step(&iter)) {
        if (!list_iter_is(&iter, pivot))
            continue;
        list_insert(list, &iter, side, value);
        return true;
    }
    return false;
}

static void cmd_linsert(struct request *req)
{
    enum list_end side = LIST_HEAD;
    struct key_ref ref;
    struct list *list;

    if (argument_is(req, 2, "after")) {
        side = LIST_TAIL;
    } else if (!argument_is(req, 2, "before")) {
        reply_syntax_error(req);
        return;
    }
    if (!key_find_or_reply(req, 1, VALUE_LIST, LOOKUP_WRITE, &ref))
        return;
    if (!ref.entry) {
        reply_int(req, 0);
        return;
    }
    list = entry_value(ref.entry);
    if (!insert_beside(list, req->argv[3], side, req->argv[4])) {
        reply_int(req, -1);
        return;
    }
    reply_int(req, (int64_t)list_size(list));
    key_changed(req, req->db, req->argv[1], &EVENT_LINSERT, 1);
}

/* Removes up to 'limit' values from the head on, or from the tail on when it is negative; 0: all. */
static int64_t remove_equal(struct list *list, int64_t limit, struct bytes value)
{
    enum list_end to = limit < 0 ? LIST_HEAD : LIST_TAIL;
    int64_t removed = 0;
    struct list_iter iter;

    if (limit < 0)
        limit = -limit;
    list_iter_init(&iter, list, to == LIST_TAIL ? 0 : -1, to);
    while ((!limit || removed < limit) && list_iter_step(&iter)) {
        if (!list_iter_is(&iter, value))
            continue;
        list_remove(list, &iter);
        removed++;
    }
    return removed;
}

static void cmd_lrem(struct request *req)
{
    struct key_ref ref;
    int64_t limit, removed;

    if (!parse_signed_count_or_reply(req, 2, &limit) ||
        !key_find_or_reply(req, 1, VALUE_LIST, LOOKUP_WRITE, &ref))
        return;
    if (!ref.entry) {
        reply_int(req, 0);
        return;
    }
    removed = remove_equal(entry_value(ref.entry), limit, req->argv[3]);
    reply_int(req, removed);
    if (removed)
        list_report_taken(req, &ref, req->argv[1], &EVENT_LREM, removed);
}

/* What stays is [start, end]. Returns how many values go; a list that is left empty is not cut but left
 * to store_remove, which frees in slices. */
static int64_t trim(struct list *list, int64_t start, int64_t end, bool *is_emptied)
{
    int64_t size = (int64_t)list_size(list);

    *is_emptied = !clamp_range(size, &start, &end);
    if (*is_emptied)
        return size;
    list_drop(list, LIST_HEAD, (size_t)start);
    list_drop(list, LIST_TAIL, (size_t)(size - 1 - end));
    return start + size - 1 - end;
}

static void cmd_ltrim(struct request *req)
{
    int64_t start, end, trimmed;
    struct key_ref ref;
    bool is_emptied;

    if (!parse_int_or_reply(req, 2, &start) || !parse_int_or_reply(req, 3, &end) ||
        !key_find_or_reply(req, 1, VALUE_LIST, LOOKUP_WRITE, &ref))
        return;
    reply_ok(req);
    if (!ref.entry)
        return;
    trimmed = trim(entry_value(ref.entry), start, end, &is_emptied);
    key_changed(req, req->db, req->argv[1], &EVENT_LTRIM, trimmed);
    if (!trimmed)
        propagate_nothing(req); /* WATCH and events notice it all the same */
    if (is_emptied)
        remove_emptied(req, &ref, req->argv[1]);
}

/* --- the table ------------------------------------------------------------------------------------------ */

static const struct key_rule inserts[] = {
    {KEY_RW | KEY_INSERT, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}}, {0}};
static const struct key_rule updates[] = {
    {KEY_RW | KEY_UPDATE, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}}, {0}};
static const struct key_rule deletes[] = {
    {KEY_RW | KEY_DELETE, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}}, {0}};
static const struct key_rule measures[] = {
    {KEY_RO, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}}, {0}};

static const struct command list_commands[] = {
    {"lpush", cmd_lpush, -3, CMD_WRITE | CMD_GROWS | CMD_FAST, {1, 1, 1}, NULL, "1.0.0",
     "O(1) an element", "key element [element ...]",
     "Prepends elements to a list, creating it when absent.", inserts,
     .history = "2.4.0 Several elements."},
    {"rpush", cmd_rpush, -3, CMD_WRITE | CMD_GROWS | CMD_FAST, {1, 1, 1}, NULL, "1.0.0",
     "O(1) an element", "key element [element ...]",
     "Appends elements to a list, creating it when absent.", inserts,
     .history = "2.4.0 Several elements."},
    {"lpushx", cmd_lpushx, -3, CMD_WRITE | CMD_GROWS | CMD_FAST, {1, 1, 1}, NULL, "2.2.0",
     "O(1) an element", "key element [element ...]", "Prepends elements to a list that exists.",
     inserts,
     .history = "4.0.0 Several elements."},
    {"rpushx", cmd_rpushx, -3, CMD_WRITE | CMD_GROWS | CMD_FAST, {1, 1, 1}, NULL, "2.2.0",
     "O(1) an element", "key element [element ...]", "Appends elements to a list that exists.",
     inserts,
     .history = "4.0.0 Several elements."},
    {"llen", cmd_llen, 2, CMD_READONLY | CMD_FAST, {1, 1, 1}, NULL, "1.0.0", "O(1)", "key",
     "Returns the length of a list.", measures},
    {"lindex", cmd_lindex, 3, CMD_READONLY, {1, 1, 1}, NULL, "1.0.0",
     "O(N) from the nearer end, a block at a time", "key index",
     "Returns the element at a position of a list."},
    {"lrange", cmd_lrange, 4, CMD_READONLY, {1, 1, 1}, NULL, "1.0.0",
     "O(S+N), S the distance from the nearer end", "key start stop",
     "Returns the elements between two positions of a list."},
    {"lpos", cmd_lpos, -3, CMD_READONLY, {1, 1, 1}, NULL, "6.0.6", "O(N)",
     "key element [RANK rank] [COUNT num-matches] [MAXLEN len]",
     "Returns the positions at which an element stands in a list."},
    {"lset", cmd_lset, 4, CMD_WRITE | CMD_GROWS, {1, 1, 1}, NULL, "1.0.0",
     "O(N) from the nearer end, a block at a time", "key index element",
     "Replaces the element at a position of a list.", updates},
    {"linsert", cmd_linsert, 5, CMD_WRITE | CMD_GROWS, {1, 1, 1}, NULL, "2.2.0", "O(N)",
     "key <BEFORE | AFTER> pivot element",
     "Inserts an element before or behind the first one that equals another.", inserts},
    {"lrem", cmd_lrem, 4, CMD_WRITE, {1, 1, 1}, NULL, "1.0.0", "O(N)", "key count element",
     "Removes the elements of a list that equal one, or the first or last few of them.", deletes},
    {"ltrim", cmd_ltrim, 4, CMD_WRITE, {1, 1, 1}, NULL, "1.0.0", "O(N) removed elements",
     "key start stop", "Removes all elements of a list but those between two positions.", deletes},
};
REGISTER_COMMANDS("list", list_commands);
