/* A hierarchical timing wheel over all of int64.
 *
 * A deadline is read as an unsigned number of eleven digits of six bits. The wheel stands at a
 * time, 'now'. A node whose deadline agrees with 'now' in all digits above digit L, and is later in
 * digit L, waits at level L in the slot of that digit:
 *
 *     now       ... 07 12 55        level 0   slot 55+1 .. 63   one millisecond each
 *     deadline  ... 07 31 02        level 1   slot 12+1 .. 63   64 ms each         <- slot 31
 *     deadline  ... 09 00 00        level 2   slot 07+1 .. 63   4096 ms each       <- slot 9
 *
 * So a level is a row of slots behind 'now', every slot of a lower level is earlier than those
 * above, and 'now' may move to the beginning of the first slot with nodes, however far, without
 * touching a node. There it stays while that slot is dealt out to lower levels; a slot that ends
 * before the time asked for is not dealt out, its nodes are all due.
 *
 * What was due when it was added waits in the inbox. Also there: what was added while the clock
 * stood behind 'now' because it went backward. When such a node is found, 'now' is taken back
 * ("rewind"): if L is the highest digit that changes, all that waits below level L agrees with the
 * old 'now' down to digit L, and belongs into the slot of that digit; the levels above stay as they
 * are.
 *
 * Invariants of a node in slot s of level L:
 *   its deadline agrees with 'now' in the digits above L, its digit L is s;
 *   its deadline is not before 'now'.
 * While a slot is dealt out or filled by a rewind it is the slot of now's own digit ("open").
 * Nothing else waits there: only a slot whose range begins after 'now' gets nodes from wheel_add.
 */
#include "ds/timing_wheel.h"

#include "base/assert.h"
#include "base/mem.h"
#include "base/random.h"

#define DIGIT_BITS     6
#define LEVEL_SLOTS    (1 << DIGIT_BITS)
#define LEVELS         11
#define INBOX          (LEVELS * LEVEL_SLOTS) /* the number of the slot behind all levels */
#define PREFETCH_AHEAD 8

#ifdef TERN_STRESS
#define CHUNK_NODES 4u
#define PIECE_NODES 2
#else
#define CHUNK_NODES 512u /* one page */
#define PIECE_NODES                                                                                \
    64 /* what one call of wheel_pop moves at most: about 5 us when each node misses the cache */
#endif

/* A vector of node addresses in chunks, so that it grows without copying and without slack. All
 * chunks but the last are full; the last has room for up to a quarter more than it holds. Up to one
 * chunk there is no directory. */
struct slot {
    union {
        struct wheel_node **chunk;      /* capacity <= CHUNK_NODES */
        struct wheel_node ***directory; /* more */
    };
    uint32_t count;
    uint32_t capacity; /* in nodes; 0: no memory */
};

struct wheel {
    uint64_t now; /* in ticks */
    size_t size;
    __int128 sum; /* of all deadlines */
    struct slot inbox;
    uint32_t filled_levels;     /* bit L: level L has nodes */
    uint64_t filled[LEVELS];    /* bit s: slot s of the level has nodes */
    struct slot *level[LEVELS]; /* LEVEL_SLOTS each; NULL until first used */
};

/* The unsigned order of ticks is the signed order of milliseconds. */
static uint64_t ticks_of(int64_t ms) { return (uint64_t)ms ^ (uint64_t)1 << 63; }
static int64_t ms_of(uint64_t ticks) { return (int64_t)(ticks ^ (uint64_t)1 << 63); }

static unsigned digit_of(uint64_t ticks, unsigned level)
{
    return ticks >> level * DIGIT_BITS & (LEVEL_SLOTS - 1);
}

/* The highest digit in which two different times differ. */
static unsigned level_between(uint64_t a, uint64_t b)
{
    return (63 - (unsigned)__builtin_clzll(a ^ b)) / DIGIT_BITS;
}

/* The ticks below the digits of 'level' and above: all of them for the level above the highest. */
static uint64_t mask_below(unsigned level)
{
    return level < LEVELS ? ((uint64_t)1 << level * DIGIT_BITS) - 1 : UINT64_MAX;
}

/* ---- slots: vectors in chunks ---- */

static uint32_t chunks_for(uint32_t nodes)
{
    return nodes / CHUNK_NODES + (nodes % CHUNK_NODES != 0);
}

/* The part of 'nodes' that is in the last chunk. */
static uint32_t in_last_chunk(uint32_t nodes)
{
    return nodes == 0 ? 0 : (nodes - 1) % CHUNK_NODES + 1;
}

static size_t directory_bytes(uint32_t chunks)
{
    size_t room = 2;

    while (room < chunks)
        room *= 2;
    return room * sizeof(struct wheel_node **);
}

static struct wheel_node **slot_at(const struct slot *slot, uint32_t place)
{
    if (slot->capacity <= CHUNK_NODES)
        return &slot->chunk[place];
    return &slot->directory[place / CHUNK_NODES][place % CHUNK_NODES];
}

/* Room for a last chunk of 'nodes': a quarter more, and what the block has anyway. */
static uint32_t roomy(uint32_t nodes)
{
    size_t bytes = mem_block_size((nodes + nodes / 4 + 1) * sizeof(struct wheel_node *));
    size_t room = bytes / sizeof(struct wheel_node *);

    return room < CHUNK_NODES ? (uint32_t)room : CHUNK_NODES;
}

static void resize_last_chunk(struct slot *slot, uint32_t room)
{
    uint32_t old = in_last_chunk(slot->capacity);
    struct wheel_node ***chunk = slot->capacity <= CHUNK_NODES
                                     ? &slot->chunk
                                     : &slot->directory[chunks_for(slot->capacity) - 1];

    *chunk = mem_resize(*chunk, old * sizeof **chunk, room * sizeof **chunk);
    slot->capacity += room - old;
}

static void add_chunk(struct slot *slot)
{
    uint32_t chunks = chunks_for(slot->capacity);
    uint32_t room = roomy(1);
    struct wheel_node **chunk = mem_alloc(room * sizeof(struct wheel_node *));

    if (chunks == 0) {
        slot->chunk = chunk;
    } else if (chunks == 1) {
        struct wheel_node **first = slot->chunk;
        slot->directory = mem_alloc(directory_bytes(2));
        slot->directory[0] = first;
        slot->directory[1] = chunk;
    } else {
        slot->directory =
            mem_resize(slot->directory, directory_bytes(chunks), directory_bytes(chunks + 1));
        slot->directory[chunks] = chunk;
    }
    slot->capacity += room;
}

static void drop_last_chunk(struct slot *slot)
{
    uint32_t chunks = chunks_for(slot->capacity);
    uint32_t room = in_last_chunk(slot->capacity);
    struct wheel_node **chunk = chunks == 1 ? slot->chunk : slot->directory[chunks - 1];

    mem_free(chunk, room * sizeof(struct wheel_node *));
    slot->capacity -= room;
    if (chunks == 1) {
        slot->chunk = NULL;
    } else if (chunks == 2) {
        struct wheel_node **first = slot->directory[0];
        mem_free(slot->directory, directory_bytes(2));
        slot->chunk = first;
    } else {
        slot->directory =
            mem_resize(slot->directory, directory_bytes(chunks), directory_bytes(chunks - 1));
    }
}

static void slot_append(struct slot *slot, struct wheel_node *node)
{
    ASSERT(slot->count < UINT32_MAX - CHUNK_NODES);
    if (slot->count == slot->capacity) {
        if (slot->capacity % CHUNK_NODES == 0)
            add_chunk(slot);
        else
            resize_last_chunk(slot, roomy(in_last_chunk(slot->capacity)));
    }
    node->place = slot->count;
    *slot_at(slot, slot->count++) = node;
}

static bool is_wasteful(const struct slot *slot)
{
    uint32_t used = in_last_chunk(slot->count);
    uint32_t room = in_last_chunk(slot->capacity);

    return used < room / 2 && roomy(used) < room;
}

static void slot_drop_last(struct slot *slot)
{
    slot->count--;
    if (slot->count % CHUNK_NODES == 0)
        drop_last_chunk(slot);
    else if (is_wasteful(slot))
        resize_last_chunk(slot, roomy(in_last_chunk(slot->count)));
}

static size_t slot_memory(const struct slot *slot)
{
    uint32_t chunks = chunks_for(slot->capacity);
    size_t last = in_last_chunk(slot->capacity) * sizeof(struct wheel_node *);
    size_t chunk = CHUNK_NODES * sizeof(struct wheel_node *);

    if (chunks == 0)
        return 0;
    return (chunks > 1 ? mem_block_size(directory_bytes(chunks)) : 0) +
           (chunks - 1) * mem_block_size(chunk) + mem_block_size(last);
}

/* ---- slots in the wheel ---- */

static struct slot *slot_numbered(struct wheel *wheel, uint32_t number)
{
    if (number == INBOX)
        return &wheel->inbox;
    return &wheel->level[number / LEVEL_SLOTS][number % LEVEL_SLOTS];
}

static void put(struct wheel *wheel, struct wheel_node *node, uint32_t number)
{
    unsigned level = number / LEVEL_SLOTS;

    if (number != INBOX) {
        if (!wheel->level[level])
            wheel->level[level] = mem_alloc_zero(LEVEL_SLOTS * sizeof(struct slot));
        wheel->filled[level] |= (uint64_t)1 << number % LEVEL_SLOTS;
        wheel->filled_levels |= 1u << level;
    }
    node->slot = number;
    slot_append(slot_numbered(wheel, number), node);
}

/* After the last node of a slot has gone. */
static void mark_empty(struct wheel *wheel, uint32_t number)
{
    unsigned level = number / LEVEL_SLOTS;

    if (number == INBOX)
        return;
    wheel->filled[level] &= ~((uint64_t)1 << number % LEVEL_SLOTS);
    if (wheel->filled[level] == 0)
        wheel->filled_levels &= ~(1u << level);
}

static struct wheel_node *take_last(struct wheel *wheel, uint32_t number)
{
    struct slot *slot = slot_numbered(wheel, number);
    struct wheel_node *node = *slot_at(slot, slot->count - 1);

    /* Nodes lie anywhere: without this, every one costs a miss (1.5 times in a cascade of 1M). */
    if (slot->count > PREFETCH_AHEAD)
        __builtin_prefetch(*slot_at(slot, slot->count - 1 - PREFETCH_AHEAD), 1);
    slot_drop_last(slot);
    if (slot->count == 0)
        mark_empty(wheel, number);
    return node;
}

/* Puts a node where its deadline belongs as seen from 'now'. */
static void file(struct wheel *wheel, struct wheel_node *node)
{
    uint64_t deadline = ticks_of(node->deadline_ms);
    uint32_t number = INBOX;

    if (deadline > wheel->now) {
        unsigned level = level_between(deadline, wheel->now);
        number = level * LEVEL_SLOTS + digit_of(deadline, level);
    }
    put(wheel, node, number);
}

/* A slot and the times it stands for. */
struct range {
    uint32_t slot;
    uint64_t first, last;
};

static struct range slot_range(const struct wheel *wheel, unsigned level, unsigned digit)
{
    uint64_t first = (wheel->now & ~mask_below(level + 1)) | (uint64_t)digit << level * DIGIT_BITS;

    return (struct range){level * LEVEL_SLOTS + digit, first, first | mask_below(level)};
}

/* The slot with nodes that begins first. It is in the lowest level unless a slot is open. */
static bool find_earliest(const struct wheel *wheel, struct range *earliest)
{
    bool is_found = false;

    for (uint32_t levels = wheel->filled_levels; levels != 0; levels &= levels - 1) {
        unsigned level = (unsigned)__builtin_ctz(levels);
        unsigned digit = (unsigned)__builtin_ctzll(wheel->filled[level]);
        struct range range = slot_range(wheel, level, digit);
        if (!is_found || range.first < earliest->first)
            *earliest = range;
        is_found = true;
    }
    return is_found;
}

/* ---- the wheel ---- */

struct wheel *wheel_new(int64_t now_ms)
{
    struct wheel *wheel = mem_alloc_zero(sizeof *wheel);

    wheel->now = ticks_of(now_ms);
    return wheel;
}

static bool slot_free_step(struct slot *slot, size_t *budget)
{
    for (; *budget > 0 && slot->capacity > 0; --*budget)
        drop_last_chunk(slot);
    return slot->capacity == 0;
}

bool wheel_free_step(struct wheel *wheel, size_t budget)
{
    if (!slot_free_step(&wheel->inbox, &budget))
        return false;
    for (unsigned level = 0; level < LEVELS; level++) {
        for (unsigned digit = 0; wheel->level[level] && digit < LEVEL_SLOTS; digit++) {
            if (!slot_free_step(&wheel->level[level][digit], &budget))
                return false;
        }
        mem_free(wheel->level[level], LEVEL_SLOTS * sizeof(struct slot));
        wheel->level[level] = NULL;
    }
    mem_free(wheel, sizeof *wheel);
    return true;
}

void wheel_free(struct wheel *wheel) { wheel_free_step(wheel, SIZE_MAX); }

void wheel_add(struct wheel *wheel, struct wheel_node *node)
{
    file(wheel, node);
    wheel->size++;
    wheel->sum += node->deadline_ms;
}

void wheel_remove(struct wheel *wheel, struct wheel_node *node)
{
    struct slot *slot = slot_numbered(wheel, node->slot);
    struct wheel_node *last = *slot_at(slot, slot->count - 1);

    ASSERT(node->place < slot->count);
    ASSERT(*slot_at(slot, node->place) == node);
    *slot_at(slot, node->place) = last;
    last->place = node->place;
    slot_drop_last(slot);
    if (slot->count == 0)
        mark_empty(wheel, node->slot);
    wheel->size--;
    wheel->sum -= node->deadline_ms;
}

void wheel_moved(struct wheel *wheel, struct wheel_node *node)
{
    struct slot *slot = slot_numbered(wheel, node->slot);

    ASSERT(node->place < slot->count);
    *slot_at(slot, node->place) = node;
}

/* Takes 'now' back to 'to', or a piece of the way: what waits below the highest digit that changes
 * goes into the slot where it is seen from 'to'. True when 'now' is there. */
static bool rewind_piece(struct wheel *wheel, uint64_t to)
{
    unsigned level = level_between(wheel->now, to);
    uint32_t number = level * LEVEL_SLOTS + digit_of(wheel->now, level);

    for (int i = 0; i < PIECE_NODES; i++) {
        uint32_t below = wheel->filled_levels & ((1u << level) - 1);
        if (below == 0) {
            wheel->now = to;
            return true;
        }
        unsigned from = (unsigned)__builtin_ctz(below);
        unsigned digit = (unsigned)__builtin_ctzll(wheel->filled[from]);
        put(wheel, take_last(wheel, from * LEVEL_SLOTS + digit), number);
    }
    return false;
}

/* Gives out the inbox's last node when it is due. Else it was added while the clock stood behind
 * 'now': then 'now' goes back, and the inbox is filed. */
static enum wheel_progress pop_inbox(struct wheel *wheel, uint64_t now, struct wheel_node **due)
{
    struct slot *inbox = &wheel->inbox;

    if (ticks_of((*slot_at(inbox, inbox->count - 1))->deadline_ms) <= now) {
        *due = take_last(wheel, INBOX);
        wheel->size--;
        wheel->sum -= (*due)->deadline_ms;
        return WHEEL_DUE;
    }
    if (now < wheel->now && !rewind_piece(wheel, now))
        return WHEEL_WORKED;
    for (int i = 0; i < PIECE_NODES && inbox->count > 0; i++) {
        if (ticks_of((*slot_at(inbox, inbox->count - 1))->deadline_ms) <= wheel->now)
            break;
        file(wheel, take_last(wheel, INBOX));
    }
    return WHEEL_WORKED;
}

/* Deals a piece of an open slot out to lower levels; what is due at 'now' goes to the inbox. */
static void cascade_piece(struct wheel *wheel, uint32_t number)
{
    struct slot *slot = slot_numbered(wheel, number);

    for (int i = 0; i < PIECE_NODES && slot->count > 0; i++)
        file(wheel, take_last(wheel, number));
}

enum wheel_progress wheel_pop(struct wheel *wheel, int64_t now_ms, struct wheel_node **due)
{
    uint64_t now = ticks_of(now_ms);
    struct range earliest;

    if (wheel->inbox.count > 0)
        return pop_inbox(wheel, now, due);
    if (now < wheel->now)
        return WHEEL_IDLE; /* the clock went backward; nothing waits before wheel->now */
    if (!find_earliest(wheel, &earliest) || earliest.first > now) {
        wheel->now = now;
        return WHEEL_IDLE;
    }
    if (earliest.last <= now) {
        *due = take_last(wheel, earliest.slot);
        wheel->size--;
        wheel->sum -= (*due)->deadline_ms;
        return WHEEL_DUE;
    }
    if (wheel->now < earliest.first)
        wheel->now = earliest.first;
    cascade_piece(wheel, earliest.slot);
    return WHEEL_WORKED;
}

int64_t wheel_next_ms(const struct wheel *wheel)
{
    struct range earliest;

    if (wheel->inbox.count > 0)
        return INT64_MIN;
    return find_earliest(wheel, &earliest) ? ms_of(earliest.first) : INT64_MAX;
}

size_t wheel_size(const struct wheel *wheel) { return wheel->size; }

/* ---- picking some ---- */

struct wheel_node *wheel_random(const struct wheel *wheel, struct random *random)
{
    const struct slot *slot = &wheel->inbox;
    uint64_t at;

    if (wheel->size == 0)
        return NULL;
    at = random_below(random, wheel->size);
    for (unsigned level = 0; at >= slot->count && level < LEVELS; level++) {
        for (uint64_t digits = wheel->filled[level]; digits && at >= slot->count; digits &= digits - 1) {
            at -= slot->count;
            slot = &wheel->level[level][__builtin_ctzll(digits)];
        }
    }
    ASSERT(at < slot->count);
    return *slot_at(slot, (uint32_t)at);
}

static const struct slot *nearest_slot(const struct wheel *wheel)
{
    struct range earliest;

    if (wheel->inbox.count > 0 || !find_earliest(wheel, &earliest))
        return &wheel->inbox;
    return &wheel->level[earliest.slot / LEVEL_SLOTS][earliest.slot % LEVEL_SLOTS];
}

size_t wheel_nearest(const struct wheel *wheel, struct random *random, struct wheel_node **nodes, size_t want)
{
    const struct slot *slot = nearest_slot(wheel);
    bool is_all = slot->count <= want;
    size_t count = is_all ? slot->count : want;

    for (size_t i = 0; i < count; i++) {
        nodes[i] = *slot_at(slot, is_all ? (uint32_t)i : (uint32_t)random_below(random, slot->count));
        __builtin_prefetch(nodes[i]);
    }
    return count;
}

/* ---- walks over everything ---- */

static void slot_each(const struct slot *slot,
                      void (*visit)(void *context, struct wheel_node *node), void *context)
{
    for (uint32_t place = 0; place < slot->count; place++)
        visit(context, *slot_at(slot, place));
}

void wheel_each(const struct wheel *wheel, void (*visit)(void *context, struct wheel_node *node),
                void *context)
{
    slot_each(&wheel->inbox, visit, context);
    for (unsigned level = 0; level < LEVELS; level++) {
        for (unsigned digit = 0; wheel->level[level] && digit < LEVEL_SLOTS; digit++)
            slot_each(&wheel->level[level][digit], visit, context);
    }
}

size_t wheel_memory(const struct wheel *wheel)
{
    size_t bytes = mem_block_size(sizeof *wheel) + slot_memory(&wheel->inbox);

    for (unsigned level = 0; level < LEVELS; level++) {
        if (!wheel->level[level])
            continue;
        bytes += mem_block_size(LEVEL_SLOTS * sizeof(struct slot));
        for (unsigned digit = 0; digit < LEVEL_SLOTS; digit++)
            bytes += slot_memory(&wheel->level[level][digit]);
    }
    return bytes;
}

static void slot_check(const struct slot *slot, uint32_t number, uint64_t first, uint64_t last)
{
    ASSERT(slot->count <= slot->capacity);
    ASSERT(chunks_for(slot->count) == chunks_for(slot->capacity));
    ASSERT(!is_wasteful(slot));
    for (uint32_t place = 0; place < slot->count; place++) {
        const struct wheel_node *node = *slot_at(slot, place);
        ASSERT(node->place == place);
        ASSERT(node->slot == number);
        ASSERT(ticks_of(node->deadline_ms) >= first);
        ASSERT(ticks_of(node->deadline_ms) <= last);
    }
}

static size_t level_check(const struct wheel *wheel, unsigned level)
{
    size_t nodes = 0;

    for (unsigned digit = 0; digit < LEVEL_SLOTS; digit++) {
        const struct slot *slot = &wheel->level[level][digit];
        struct range range = slot_range(wheel, level, digit);
        uint64_t first = range.first > wheel->now ? range.first : wheel->now;
        ASSERT((wheel->filled[level] >> digit & 1) == (slot->count > 0));
        slot_check(slot, range.slot, first, range.last);
        nodes += slot->count;
    }
    return nodes;
}

void wheel_check(const struct wheel *wheel)
{
    size_t nodes = wheel->inbox.count;

    slot_check(&wheel->inbox, INBOX, 0, UINT64_MAX);
    for (unsigned level = 0; level < LEVELS; level++) {
        ASSERT((wheel->filled_levels >> level & 1) == (wheel->filled[level] != 0));
        if (wheel->level[level])
            nodes += level_check(wheel, level);
        else
            ASSERT(wheel->filled[level] == 0);
    }
    ASSERT(nodes == wheel->size);
}

int64_t wheel_mean_ms(const struct wheel *wheel)
{
    return wheel->size ? (int64_t)(wheel->sum / (__int128)wheel->size) : 0;
}
