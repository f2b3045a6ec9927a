/* SORT and SORT_RO: the elements of a list, set or sorted set in order, by themselves or by what other
 * keys hold, with what further keys hold.
 *
 *     SORT ids BY weight_* LIMIT 0 10 GET name_* GET object_*->field
 *
 * Numbers that are equal are ordered by the elements' bytes. With ALPHA and BY, equal texts leave their
 * elements in the order in which they came. */
#include "sort_internal.h"

#include "base/mem.h"
#include "base/numbers.h"
#include "ds/range_sort.h"
#include "engine/events.h"
#include "types/list.h"

#define ERR_NOT_SORTABLE "ERR One or more scores can't be converted into double"

static const struct event_kind EVENT_SORTSTORE = {EVENT_CLASS_LIST, "sortstore"};

struct options {
    bool is_descending, is_alpha;
    bool is_unsorted;      /* BY a pattern without a star */
    bool has_by;           /* 'by' is to be looked up */
    struct sort_pattern by;
    int64_t offset, limit; /* of LIMIT; a negative limit is none */
    int store;             /* the argument that is the destination; 0: none */
    struct sort_pattern *gets;
    size_t get_count, get_size;
};

/* --- arguments ------------------------------------------------------------------------------------------ */

static void set_by(struct options *options, struct bytes text)
{
    options->by = sort_pattern_of(text);
    options->has_by = true;
    options->is_unsorted |= !options->by.has_star;
}

/* How many arguments the option at 'at' takes, itself too; 0 when it is none that may stand here. */
static int option_length(const struct request *req, int at, bool may_store)
{
    static const struct {
        const char *word;
        int length;
    } words[] = {{"asc", 1}, {"desc", 1}, {"alpha", 1}, {"limit", 3}, {"by", 2}, {"get", 2}, {"store", 2}};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (argument_is(req, at, words[i].word))
            return at + words[i].length > req->argc ||
                           (!may_store && !strcmp(words[i].word, "store"))
                       ? 0
                       : words[i].length;
    return 0;
}

static bool parse_option_or_reply(struct request *req, int at, struct options *options)
{
    if (argument_is(req, at, "asc"))
        options->is_descending = false;
    else if (argument_is(req, at, "desc"))
        options->is_descending = true;
    else if (argument_is(req, at, "alpha"))
        options->is_alpha = true;
    else if (argument_is(req, at, "store"))
        options->store = at + 1;
    else if (argument_is(req, at, "by"))
        set_by(options, req->argv[at + 1]);
    else if (argument_is(req, at, "get"))
        options->gets[options->get_count++] = sort_pattern_of(req->argv[at + 1]);
    else
        return parse_int_or_reply(req, at + 1, &options->offset) &&
               parse_int_or_reply(req, at + 2, &options->limit);
    return true;
}

/* 'options' is to be released even when this fails. */
static bool parse_or_reply(struct request *req, bool may_store, struct options *options)
{
    *options = (struct options){.limit = -1, .get_size = (size_t)req->argc / 2};
    options->gets = mem_alloc(options->get_size * sizeof *options->gets);
    for (int at = 2, length; at < req->argc; at += length) {
        length = option_length(req, at, may_store);
        if (!length) {
            reply_syntax_error(req);
            return false;
        }
        if (!parse_option_or_reply(req, at, options))
            return false;
    }
    return true;
}

static void options_release(struct options *options)
{
    mem_free(options->gets, options->get_size * sizeof *options->gets);
}

/* --- weights -------------------------------------------------------------------------------------------- */

/* Numbers as they are in a score, but not in hexadecimal; what is empty, or ends at a zero byte, is read
 * as the C library would. */
static bool parse_score(struct bytes text, double *score)
{
    const char *zero = text.len ? memchr(text.data, '\0', text.len) : NULL;
    int64_t number;

    if (int64_parse(text, &number)) {
        *score = (double)number;
        return true;
    }
    if (zero)
        text.len = (size_t)(zero - text.data);
    *score = 0;
    if (text.len == 0)
        return true;
    return !memchr(text.data, 'x', text.len) && !memchr(text.data, 'X', text.len) &&
           double_parse(text, score);
}

static bool weigh(struct sort *sort, const struct options *options, struct sort_item *item)
{
    char text[INT64_TEXT_MAX];
    struct bytes value = item->element;
    bool is_there = true;

    if (options->has_by)
        is_there = sort_look_up(sort, &options->by, item->element, text, &value);
    if (options->is_alpha) {
        if (is_there)
            item->weight.text = value.data == text || !value.data ? sort_keep(sort, value) : value;
        return true;
    }
    return !is_there || parse_score(value, &item->weight.score);
}

/* False when one of them is no number. All are looked up all the same. */
static bool weigh_all(struct sort *sort, const struct options *options)
{
    bool is_good = true;

    for (size_t i = 0; i < sort->count; i++)
        is_good &= weigh(sort, options, &sort->items[i]);
    return is_good;
}

/* --- order ---------------------------------------------------------------------------------------------- */

static int by_element(const void *a, const void *b)
{
    const struct sort_item *first = a, *second = b;

    return bytes_compare(first->element, second->element);
}

static int by_score(const void *a, const void *b)
{
    const struct sort_item *first = a, *second = b;

    if (first->weight.score != second->weight.score)
        return first->weight.score < second->weight.score ? -1 : 1;
    return by_element(a, b);
}

static int by_place(const struct sort_item *first, const struct sort_item *second)
{
    return first->place < second->place ? -1 : first->place > second->place;
}

static int compare_texts(const struct sort_item *first, const struct sort_item *second)
{
    struct bytes a = first->weight.text, b = second->weight.text;

    if (!a.data || !b.data)
        return (a.data != NULL) - (b.data != NULL);
    return bytes_compare(a, b);
}

static int by_text(const void *a, const void *b)
{
    int order = compare_texts(a, b);

    return order ? order : by_place(a, b);
}

static int by_text_descending(const void *a, const void *b)
{
    int order = compare_texts(b, a);

    return order ? order : by_place(a, b);
}

/* --- the result ----------------------------------------------------------------------------------------- */

struct result {
    const struct sort_item *items; /* of the first element */
    ptrdiff_t step;                /* to the following one */
    size_t count;
};

/* What LIMIT leaves of so many elements. */
static void apply_limit(const struct options *options, size_t size, size_t *first, size_t *count)
{
    uint64_t offset = options->offset > 0 ? (uint64_t)options->offset : 0;

    *first = offset < size ? (size_t)offset : size;
    *count = size - *first;
    if (options->limit >= 0 && (uint64_t)options->limit < *count)
        *count = (size_t)options->limit;
}

/* Orders as many as are wanted. What has the opposite order stands at the other end, so that it is read
 * backwards. */
static void order(struct sort *sort, const struct options *options, size_t first, struct result *result)
{
    bool is_by_text = options->is_alpha && options->has_by;
    bool is_reversed = options->is_descending && !is_by_text;
    range_sort_compare *compare = options->is_alpha ? by_element : by_score;

    if (is_by_text)
        compare = options->is_descending ? by_text_descending : by_text;
    if (is_reversed)
        first = sort->count - first - result->count;
    range_sort(sort->items, sort->count, sizeof *sort->items, first, first + result->count, compare);
    result->items = sort->items + first;
    result->step = 1;
    if (is_reversed && result->count) {
        result->items += result->count - 1;
        result->step = -1;
    }
}

static bool make_result_or_reply(struct sort *sort, const struct options *options,
                                 const struct entry *entry, struct result *result)
{
    size_t size = entry ? sort_size(entry) : 0, first;

    *result = (struct result){.step = 1};
    apply_limit(options, size, &first, &result->count);
    if (options->is_unsorted) {
        if (entry)
            sort_load(sort, entry, first, result->count, options->is_descending);
        result->items = sort->items;
        return true;
    }
    if (entry)
        sort_load(sort, entry, 0, size, false);
    if (!weigh_all(sort, options)) {
        reply_error(sort->req, ERR_NOT_SORTABLE);
        return false;
    }
    order(sort, options, first, result);
    return true;
}

static size_t result_size(const struct result *result, const struct options *options)
{
    return result->count * (options->get_count ? options->get_count : 1);
}

/* Gives each value of the result, in order; data NULL: it is absent. */
typedef void emit_value(void *context, struct bytes value);

static void emit_result(struct sort *sort, const struct options *options, const struct result *result,
                        emit_value *emit, void *context)
{
    const struct sort_item *item = result->items;
    char text[INT64_TEXT_MAX];

    for (size_t i = 0; i < result->count; i++, item += result->step) {
        if (!options->get_count)
            emit(context, item->element);
        for (size_t get = 0; get < options->get_count; get++) {
            struct bytes value;

            if (!sort_look_up(sort, &options->gets[get], item->element, text, &value))
                value = (struct bytes){NULL, 0};
            else if (!value.data)
                value = BYTES("");
            emit(context, value);
        }
    }
}

static void reply_value(void *context, struct bytes value)
{
    if (value.data)
        reply_bulk(context, value);
    else
        reply_null(context);
}

static void list_value(void *context, struct bytes value)
{
    list_push(context, LIST_TAIL, value.data ? value : BYTES(""));
}

/* An empty result removes the destination. */
static void store_result(struct sort *sort, const struct options *options, const struct result *result)
{
    struct request *req = sort->req;
    size_t size = result_size(result, options);
    struct bytes key = req->argv[options->store];
    struct list *list = list_new();
    struct key_ref ref;

    emit_result(sort, options, result, list_value, list);
    ref = key_find(req, options->store, LOOKUP_WRITE);
    if (size) {
        store_replace(&ref, key, VALUE_LIST, list);
        key_changed(req, req->db, key, &EVENT_SORTSTORE, (int64_t)size);
    } else {
        list_free(list);
        if (ref.entry) {
            store_remove(&ref);
            key_removed(req, req->db, key, &EVENT_DEL, 1);
        }
    }
    reply_int(req, (int64_t)size);
}

/* --- the commands --------------------------------------------------------------------------------------- */

static void sort_entry(struct request *req, const struct options *options, const struct entry *entry)
{
    struct sort sort = {.req = req};
    struct result result;

    if (make_result_or_reply(&sort, options, entry, &result)) {
        if (options->store) {
            store_result(&sort, options, &result);
        } else {
            reply_array(req, result_size(&result, options));
            emit_result(&sort, options, &result, reply_value, req);
        }
    }
    sort_release(&sort);
}

/* A set has no order of its own that would be the same everywhere: what is stored of it has one. */
static void insist_on_order(struct options *options, const struct entry *entry)
{
    if (entry->type != VALUE_SET || !options->is_unsorted || !options->store)
        return;
    options->is_unsorted = false;
    options->has_by = false;
    options->is_alpha = true;
}

static void sort_command(struct request *req, bool may_store)
{
    struct options options;
    struct key_ref ref;

    if (parse_or_reply(req, may_store, &options)) {
        ref = key_find(req, 1, LOOKUP_READ);
        if (ref.entry)
            insist_on_order(&options, ref.entry);
        if (ref.entry && !sort_is_sortable(ref.entry))
            reply_error(req, ERR_WRONG_TYPE);
        else
            sort_entry(req, &options, ref.entry);
    }
    options_release(&options);
}

static void cmd_sort(struct request *req) { sort_command(req, true); }
static void cmd_sort_ro(struct request *req) { sort_command(req, false); }

/* --- the table ------------------------------------------------------------------------------------------ */

#define READS (KEY_RO | KEY_ACCESS)

/* BY and GET lead to keys that the elements name; STORE may stand anywhere. */
static const struct key_rule sorts[] = {
    {READS, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}},
    {READS, KEY_BEGIN_UNKNOWN, 0, NULL, KEY_FIND_UNKNOWN, {0, 0, 0}},
    {KEY_OW | KEY_UPDATE, KEY_BEGIN_UNKNOWN, 0, NULL, KEY_FIND_UNKNOWN, {0, 0, 0}}, {0}};
static const struct key_rule sorts_only[] = {
    {READS, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}},
    {READS, KEY_BEGIN_UNKNOWN, 0, NULL, KEY_FIND_UNKNOWN, {0, 0, 0}}, {0}};

static const struct command sort_commands[] = {
    {"sort", cmd_sort, -2, CMD_WRITE | CMD_GROWS | CMD_DANGEROUS, {1, 1, 1}, NULL, "1.0.0",
     "O(N+M*log(M)) elements and results",
     "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA] "
     "[STORE destination]",
     "Returns the elements of a list, set or sorted set in order, or stores them.", sorts},
    {"sort_ro", cmd_sort_ro, -2, CMD_READONLY | CMD_DANGEROUS, {1, 1, 1}, NULL, "7.0.0",
     "O(N+M*log(M)) elements and results",
     "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]",
     "Returns the elements of a list, set or sorted set in order.", sorts_only},
};
REGISTER_COMMANDS("generic", sort_commands);
