/* Housekeeping in slices: expiring, freeing, evicting, resizing, moving blocks together, giving memory back.
 *
 * Each kind of work is made of pieces of a few microseconds; store_work does pieces until its budget is
 * spent, and notes the longest slice of each kind. */
#include "store_internal.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/mem.h"
#include "store/string_value.h"
#include "store/value.h"

#define RESIZE_PIECE     64 /* buckets */
#define EXPIRE_PIECE     16 /* steps of the wheel between two looks at the clock */
#define MOVE_PIECE       16 /* steps of the scan between two looks at the clock */
#define MOVE_PAUSE_NS    (1000 * 1000 * 1000ULL)
#define MOVE_WASTE_MIN   (8u << 20) /* less than this is not worth the work */
#define MOVE_WASTE_SHARE 8          /* nor less than an eighth of what is used */

typedef bool work_piece(struct store *store); /* true while there is more */

/* --- expiring ---------------------------------------------------------------------------- */

static void expire(struct db *db, struct wheel_node *due)
{
    struct store *store = db->store;
    struct entry *entry = (struct entry *)((char *)due - sizeof(struct entry));
    struct bytes key = entry_key(entry);
    struct key_ref ref = {.db = db, .entry = entry, .hash = hash_bytes(key)};

    store->stats.expired++;
    if (store->observer.expired)
        store->observer.expired(store->observer.context, db, key);
    store_take_out(&ref, false);
}

static bool may_expire_now(const struct store *store)
{
    return !store->is_active_expire_off && store->observer.may_expire(store->observer.context);
}

/* A key is there up to its deadline and gone the millisecond after. */
static bool expire_piece(struct store *store)
{
    int64_t now_ms = clock_now_ms(store->clock);

    if (!may_expire_now(store))
        return false;
    for (int i = 0; i < store->db_count; i++) {
        struct db *db = &store->dbs[i];

        for (int n = 0; n < EXPIRE_PIECE; n++) {
            struct wheel_node *due;
            enum wheel_progress progress = wheel_pop(db->deadlines, now_ms - 1, &due);

            if (progress == WHEEL_IDLE)
                break;
            if (progress == WHEEL_DUE)
                expire(db, due);
            if (n == EXPIRE_PIECE - 1)
                return true;
        }
        if (db->field_deadlines && fields_expire_piece(db))
            return true;
    }
    return false;
}

int64_t store_next_deadline(const struct store *store)
{
    int64_t next = INT64_MAX;

    if (!may_expire_now(store))
        return next;
    for (int i = 0; i < store->db_count; i++) {
        int64_t ms = wheel_next_ms(store->dbs[i].deadlines);

        if (ms < next)
            next = ms;
        ms = store->dbs[i].field_deadlines ? wheel_next_ms(store->dbs[i].field_deadlines) : INT64_MAX;
        if (ms < next)
            next = ms;
    }
    return next == INT64_MAX ? next : next + 1;
}

/* --- freeing, resizing ------------------------------------------------------------------- */

bool work_free_piece(struct store *store)
{
    size_t before = free_queue_size(store->freeing);
    bool is_more = free_queue_step(store->freeing, 0);
    size_t left = free_queue_size(store->freeing);

    if (left < before)
        store->stats.freed_later += before - left;
    return is_more;
}

static bool resize_piece(struct store *store)
{
    if (store->has_snapshot_child)
        return false;
    for (int i = 0; i < store->db_count; i++)
        if (dict_step(&store->dbs[i].keys, RESIZE_PIECE))
            return true;
    return false;
}

/* --- moving blocks together --------------------------------------------------------------

 * Keys that were deleted here and there leave pages half full. A pass walks the tables and gives the
 * blocks of sparse pages new places in fuller ones, so that the sparse pages become empty. */

static bool is_worth_moving(const struct store *store)
{
    size_t used = mem_used(), committed = mem_committed();
    size_t waste = committed > used ? committed - used : 0;

    return waste > MOVE_WASTE_MIN && waste > used / MOVE_WASTE_SHARE;
}

static void count_moved(struct store *store, size_t moved)
{
    store->stats.moved += moved;
    store->moved_in_pass += moved;
}

static void move_string_block(struct entry *entry, size_t *moved)
{
    struct string_block *block = entry_value(entry);

    block = mem_move_together(block, sizeof *block + block->capacity, moved);
    memcpy(entry_cell(entry), &block, sizeof block);
}

/* Small values at once; large ones are noted. When there is no place left one waits for the next pass. */
static void move_value(struct db *db, struct entry *entry, size_t *moved)
{
    const struct value_ops *ops = value_ops_of(entry->type);
    struct store *store = db->store;
    struct moving_value *moving;
    uint64_t cursor;

    if (!ops->move_step)
        return;
    cursor = ops->move_step(entry_value(entry), 0, moved);
    if (!cursor || store->moving_count == MOVING_VALUES_MAX)
        return;
    moving = &store->moving[store->moving_count++];
    *moving = (struct moving_value){db, hash_bytes(entry_key(entry)), entry_value(entry), cursor};
}

static void move_slot(void *context, struct dict_slot *slot)
{
    struct db *db = context;
    struct entry *entry = dict_slot_entry(slot);
    size_t moved = 0;

    if (mem_worth_moving(entry, entry_block_size(entry))) {
        entry = entry_relocate(db, slot, entry);
        moved++;
    }
    if (entry->form == FORM_CELL && entry->type == VALUE_STRING)
        move_string_block(entry, &moved);
    else if (entry->form == FORM_CELL)
        move_value(db, entry, &moved);
    count_moved(db->store, moved);
}

static bool holds_value(const void *entry, const void *value)
{
    const struct entry *own = entry;

    return own->form == FORM_CELL && own->type != VALUE_STRING && entry_value(own) == value;
}

/* Goes on with a large value, whose key may have gone since. */
static void move_in_value(struct store *store)
{
    struct moving_value *moving = &store->moving[store->moving_count - 1];
    const struct entry *entry = dict_find(&moving->db->keys, moving->hash, holds_value, moving->value);
    const struct value_ops *ops = entry ? value_ops_of(entry->type) : NULL;
    size_t moved = 0;

    if (ops && ops->move_step)
        moving->cursor = ops->move_step(moving->value, moving->cursor, &moved);
    else
        moving->cursor = 0;
    count_moved(store, moved);
    if (!moving->cursor)
        store->moving_count--;
}

static void finish_pass(struct store *store)
{
    /* A pass that found little to move will find little at once again. */
    uint64_t pause = store->moved_in_pass ? MOVE_PAUSE_NS : 10 * MOVE_PAUSE_NS;

    store->is_moving = false;
    store->moved_in_pass = 0;
    store->move_db = 0;
    store->move_next_ns = clock_work_ns() + pause;
}

static bool move_piece(struct store *store)
{
    struct db *db;

    if (store->has_snapshot_child)
        return false;
    if (!store->is_moving) {
        uint64_t now = clock_work_ns();

        if (now < store->move_next_ns)
            return false;
        store->move_next_ns = now + MOVE_PAUSE_NS / 10;
        store->is_moving = is_worth_moving(store);
        return store->is_moving;
    }
    if (store->moving_count) {
        for (int n = 0; n < MOVE_PIECE && store->moving_count; n++)
            move_in_value(store);
        return true;
    }
    if (store->move_db == store->db_count) {
        finish_pass(store);
        return false;
    }
    db = &store->dbs[store->move_db];
    for (int n = 0; n < MOVE_PIECE && !store->moving_count; n++) {
        db->scan_moved = dict_scan_slots(&db->keys, db->scan_moved, move_slot, db);
        if (db->scan_moved == 0)
            break;
    }
    if (db->scan_moved == 0)
        store->move_db++;
    return true;
}

/* --- giving memory back ------------------------------------------------------------------ */

static bool return_piece(struct store *store)
{
    return !store->has_snapshot_child && mem_background_step(0);
}

/* --- the slices -------------------------------------------------------------------------- */

static work_piece *const pieces[WORK_KINDS] = {
    [WORK_EXPIRE] = expire_piece, [WORK_FREE] = work_free_piece, [WORK_EVICT] = evict_piece,
    [WORK_RESIZE] = resize_piece, [WORK_MOVE] = move_piece,      [WORK_RETURN] = return_piece,
};

/* As LATENCY names them; NULL: Redis has none. */
static const char *const event_names[WORK_KINDS] = {
    [WORK_EXPIRE] = "expire-cycle", [WORK_EVICT] = "eviction-cycle", [WORK_MOVE] = "active-defrag-cycle"};

void work_was_slow(struct store *store, const char *event, uint64_t ns)
{
    if (ns >= STORE_SLOW_NS && event && store->observer.was_slow)
        store->observer.was_slow(store->observer.context, event, ns);
}

void work_count(struct store *store, enum store_work_kind kind, uint64_t ns)
{
    if (ns > store->stats.longest_slice_ns[kind])
        store->stats.longest_slice_ns[kind] = ns;
    store->stats.work_ns[kind] += ns;
    work_was_slow(store, event_names[kind], ns);
}

/* Each kind does a piece at least, however little time there is, so that none starves another and all
 * is done in the end. */
bool store_work(struct store *store, int64_t budget_ns)
{
    uint64_t start = clock_work_ns(), begin = start, now;
    bool is_more = false;

    for (int kind = 0; kind < WORK_KINDS; kind++) {
        bool kind_more;

        do {
            kind_more = pieces[kind](store);
            now = clock_work_ns();
        } while (kind_more && (int64_t)(now - start) < budget_ns);
        work_count(store, (enum store_work_kind)kind, now - begin);
        begin = now;
        is_more |= kind_more;
    }
    return is_more;
}
