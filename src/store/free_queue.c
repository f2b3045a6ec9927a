/* Values and whole databases that were removed and go in slices, so that nobody waits for them.
 *
 * First come, first freed: an item has a number, so that one can wait for all that was given up to now. A
 * large value of a database comes next behind it in the queue, with its number. */
#include "store_internal.h"

#include "base/assert.h"
#include "base/mem.h"
#include "store/string_value.h"
#include "store/value.h"

#define FREE_AT_ONCE 64 /* a value of this many blocks is not worth a place in the queue */
#define FREE_PIECE   64 /* blocks between two looks at the clock */

struct free_item {
    struct free_item *next;
    uint64_t number;
    enum { ITEM_VALUE, ITEM_THING, ITEM_DB } kind;
    enum value_type type; /* of a value */
    void *value;
    bool (*step)(void *thing, size_t budget); /* of a thing, which is 'value' */
    struct dict keys; /* of a database */
    struct dict_iter iter;
    struct wheel *deadlines, *field_deadlines;
};

struct free_queue {
    struct free_item *first, **last;
    size_t size;
    uint64_t last_number;
};

struct free_queue *free_queue_new(void)
{
    struct free_queue *queue = mem_alloc_zero(sizeof *queue);

    queue->last = &queue->first;
    return queue;
}

void free_queue_free(struct free_queue *queue)
{
    ASSERT(!queue->first);
    mem_free(queue, sizeof *queue);
}

static struct free_item *append(struct free_queue *queue)
{
    struct free_item *item = mem_alloc_zero(sizeof *item);

    item->number = ++queue->last_number;
    *queue->last = item;
    queue->last = &item->next;
    queue->size++;
    return item;
}

static struct free_item *insert_behind(struct free_queue *queue, struct free_item *before)
{
    struct free_item *item = mem_alloc_zero(sizeof *item);

    item->number = before->number;
    item->next = before->next;
    before->next = item;
    if (!item->next)
        queue->last = &item->next;
    queue->size++;
    return item;
}

void free_queue_add_db(struct free_queue *queue, struct dict *keys, struct wheel *deadlines,
                       struct wheel *field_deadlines)
{
    struct free_item *item = append(queue);

    item->kind = ITEM_DB;
    item->keys = *keys;
    item->deadlines = deadlines;
    item->field_deadlines = field_deadlines;
    dict_iter_init(&item->iter, &item->keys);
}

/* --- values by type ---------------------------------------------------------------------- */

static size_t effort(enum value_type type, const void *value)
{
    if (type == VALUE_STRING)
        return 1; /* base/mem gives large blocks back in slices itself */
    return value_ops_of(type)->free_effort(value);
}

/* True when all is gone. */
static bool free_piece(enum value_type type, void *value, size_t blocks)
{
    if (type == VALUE_STRING) {
        string_block_free(value);
        return true;
    }
    return value_ops_of(type)->free_step(value, blocks);
}

/* 'db' is the database that it belonged to when that goes as a whole, else NULL. */
static void free_or_queue(struct free_queue *queue, struct free_item *db, enum value_type type,
                          void *value)
{
    struct free_item *item;

    if (effort(type, value) <= FREE_AT_ONCE) {
        while (!free_piece(type, value, SIZE_MAX))
            ;
        return;
    }
    item = db ? insert_behind(queue, db) : append(queue);
    item->kind = ITEM_VALUE;
    item->type = type;
    item->value = value;
}

void store_free_value(struct store *store, enum value_type type, void *value)
{
    free_or_queue(store->freeing, NULL, type, value);
}

void store_free_later(struct store *store, bool (*step)(void *thing, size_t budget), void *thing)
{
    struct free_item *item = append(store->freeing);

    item->kind = ITEM_THING;
    item->step = step;
    item->value = thing;
}

void value_free(struct store *store, struct entry *entry)
{
    if (entry->flags & ENTRY_FIELDS_EXPIRE)
        fields_leave(entry);
    if (entry->form == FORM_CELL)
        free_or_queue(store->freeing, NULL, entry->type, entry_value(entry));
}

/* --- slices ------------------------------------------------------------------------------ */

static bool free_wheel_piece(struct wheel **wheel)
{
    if (*wheel && !wheel_free_step(*wheel, FREE_PIECE))
        return false;
    *wheel = NULL;
    return true;
}

/* Frees up to FREE_PIECE keys of a database; true when it is empty. A large value among them goes
 * next. */
static bool free_db_piece(struct free_queue *queue, struct free_item *item)
{
    for (int i = 0; i < FREE_PIECE; i++) {
        struct entry *entry = dict_iter_next(&item->iter);

        if (!entry) {
            if (!free_wheel_piece(&item->deadlines) || !free_wheel_piece(&item->field_deadlines))
                return false;
            dict_release(&item->keys);
            return true;
        }
        if (entry->form == FORM_CELL)
            free_or_queue(queue, item, entry->type, entry_value(entry));
        entry_free(entry);
    }
    return false;
}

static bool item_free_piece(struct free_queue *queue, struct free_item *item)
{
    if (item->kind == ITEM_DB)
        return free_db_piece(queue, item);
    if (item->kind == ITEM_THING)
        return item->step(item->value, FREE_PIECE);
    return free_piece(item->type, item->value, FREE_PIECE);
}

bool free_queue_step(struct free_queue *queue, int64_t budget_ns)
{
    uint64_t start = clock_work_ns();

    while (queue->first) {
        struct free_item *item = queue->first;

        if (item_free_piece(queue, item)) {
            queue->first = item->next;
            if (!queue->first)
                queue->last = &queue->first;
            queue->size--;
            mem_free(item, sizeof *item);
        }
        if ((int64_t)(clock_work_ns() - start) >= budget_ns)
            break;
    }
    return queue->first != NULL;
}

uint64_t store_freeing_number(const struct store *store) { return store->freeing->last_number; }

bool store_is_freed(const struct store *store, uint64_t number)
{
    const struct free_item *first = store->freeing->first;

    return !first || first->number > number;
}

bool store_free_now(struct store *store, int64_t budget_ns)
{
    return !free_queue_step(store->freeing, budget_ns);
}

size_t free_queue_size(const struct free_queue *queue) { return queue->size; }
