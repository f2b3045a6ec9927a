/* A set in one of three forms:
 *
 *     struct set ─── intset      numbers in order                                 "intset"
 *     struct set ─── listpack    members one after the other                      "listpack"
 *     struct set ─── dict        of blocks [ length | bytes ]                     "hashtable"
 *
 * A member of up to 254 bytes has a block one byte longer; with its slot in the dict, a member of 17
 * bytes takes 24 + 9 to 14 bytes. Where a set changes its form is Redis's rule (t_set.c of 7.2). */
#include "set_internal.h"

#include "base/assert.h"
#include "base/mem.h"
#include "base/numbers.h"

#define SHRINK_STEP 8 /* buckets that a removal moves when the table should be smaller */

/* ---- the limits ---- */

static struct set_limits limits =
#ifdef TERN_STRESS
    {8, 4, 16};
#else
    {512, 128, 64};
#endif

void set_use_limits(struct set_limits new_limits)
{
    limits = new_limits;
    if (limits.intset_entries > INTSET_COUNT_MAX)
        limits.intset_entries = INTSET_COUNT_MAX;
}

bool set_is_large(size_t count)
{
    return count > limits.intset_entries && count > limits.listpack_entries;
}

/* ---- blocks of the table ---- */

static size_t block_size(size_t len)
{
    return len <= MEMBER_SHORT_MAX ? 1 + len : 1 + sizeof len + len;
}

static void *block_new(struct bytes member)
{
    char *block = mem_alloc(block_size(member.len)), *at = block + 1;

    if (member.len <= MEMBER_SHORT_MAX) {
        *(unsigned char *)block = (unsigned char)member.len;
    } else {
        *(unsigned char *)block = MEMBER_SHORT_MAX + 1;
        memcpy(at, &member.len, sizeof member.len);
        at += sizeof member.len;
    }
    bytes_copy(at, member.data, member.len);
    return block;
}

void set_block_free(void *block) { mem_free(block, block_size(block_member(block).len)); }

static uint64_t block_hash(const void *block) { return hash_bytes(block_member(block)); }

const struct dict_type set_table_type = {block_hash};

static struct dict *table_new(size_t expected)
{
    struct dict *table = mem_alloc(sizeof *table);

    dict_init(table, &set_table_type);
    dict_reserve(table, expected);
    return table;
}

static bool table_add(struct dict *table, struct bytes member, uint64_t hash)
{
    if (dict_find_slot(table, hash, block_has_member, &member))
        return false;
    dict_insert(table, hash, block_new(member));
    return true;
}

void set_table_insert(struct dict *table, const struct set_member *member)
{
    char text[SET_TEXT_MAX];
    struct bytes bytes = set_member_bytes(member, text);

    dict_insert(table, hash_bytes(bytes), block_new(bytes));
}

void set_table_remove(struct dict *table, uint64_t hash, struct dict_slot *slot)
{
    void *block = dict_slot_entry(slot);

    dict_remove(table, hash, slot);
    set_block_free(block);
    dict_step(table, SHRINK_STEP);
}

/* ---- make ---- */

struct set *set_new_form(enum set_form form, size_t expected)
{
    struct set *set = mem_alloc_zero(sizeof *set);

    set->form = form;
    if (form == SET_INTSET)
        set->ints = intset_new();
    else if (form == SET_LISTPACK)
        set->lp = listpack_new();
    else
        set->table = table_new(expected);
    return set;
}

struct set *set_new(void) { return set_new_form(SET_INTSET, 0); }

struct set *set_new_for(struct bytes first, size_t count)
{
    int64_t number;

    if (count <= limits.intset_entries && int64_parse(first, &number))
        return set_new_form(SET_INTSET, 0);
    if (count <= limits.listpack_entries)
        return set_new_form(SET_LISTPACK, 0);
    return set_new_form(SET_TABLE, count);
}

void set_expect(struct set *set, size_t count)
{
    if ((set->form == SET_LISTPACK && count > limits.listpack_entries) ||
        (set->form == SET_INTSET && count > limits.intset_entries))
        set_become(set, SET_TABLE, count);
}

/* ---- free ---- */

struct dying_table {
    struct dict dict;
    struct dict_iter iter;
};

static void begin_dying(struct set *set)
{
    struct dying_table *dying = mem_alloc(sizeof *dying);

    dying->dict = *set->table;
    mem_free(set->table, sizeof *set->table);
    dict_iter_init(&dying->iter, &dying->dict);
    set->dying = dying;
    set->form = SET_DYING;
}

static bool free_blocks(struct dict_iter *iter, size_t budget)
{
    void *block;

    for (; budget > 0 && (block = dict_iter_next(iter)) != NULL; budget--)
        set_block_free(block);
    return budget > 0;
}

static bool table_free_step(struct set *set, size_t budget)
{
    if (set->form == SET_TABLE)
        begin_dying(set);
    if (!free_blocks(&set->dying->iter, budget))
        return false;
    dict_release(&set->dying->dict);
    mem_free(set->dying, sizeof *set->dying);
    return true;
}

bool set_free_step(struct set *set, size_t budget)
{
    if (set->form == SET_INTSET)
        intset_free(set->ints);
    else if (set->form == SET_LISTPACK)
        listpack_free(set->lp);
    else if (!table_free_step(set, budget))
        return false;
    mem_free(set, sizeof *set);
    return true;
}

void set_free(struct set *set)
{
    bool is_gone = set_free_step(set, SIZE_MAX);

    ASSERT(is_gone);
}

size_t set_free_effort(const struct set *set)
{
    return set->form == SET_TABLE ? dict_size(set->table) : 1;
}

/* ---- inspect ---- */

size_t set_size(const struct set *set)
{
    if (set->form == SET_TABLE)
        return dict_size(set->table);
    return set->form == SET_INTSET ? intset_count(set->ints) : listpack_count(set->lp);
}

const char *set_encoding(const struct set *set)
{
    static const char *const names[] = {"intset", "listpack", "hashtable", "hashtable"};

    return names[set->form];
}

/* The blocks of a table: as many as its samples let expect. */
static size_t blocks_memory(const struct dict *table, size_t samples)
{
    size_t size = dict_size(table), bytes = 0, seen = 0;
    struct dict_iter iter;
    const void *block;

    dict_iter_init(&iter, table);
    while ((samples == 0 || seen < samples) && (block = dict_iter_next(&iter)) != NULL) {
        bytes += mem_block_size(block_size(block_member(block).len));
        seen++;
    }
    return seen == size ? bytes : (size_t)((double)bytes / (double)seen * (double)size);
}

size_t set_memory(const struct set *set, size_t samples)
{
    size_t bytes = mem_block_size(sizeof *set);

    if (set->form == SET_INTSET)
        return bytes + mem_block_size(intset_bytes(set->ints));
    if (set->form == SET_LISTPACK)
        return bytes + mem_block_size(listpack_bytes(set->lp));
    return bytes + mem_block_size(sizeof *set->table) + dict_memory(set->table) +
           blocks_memory(set->table, samples);
}

/* ---- change the form ---- */

static void fill_listpack(struct set *set, const struct set *from)
{
    struct set_member member;
    struct set_iter iter;
    char text[SET_TEXT_MAX];

    set->lp = listpack_new();
    set_iter_init(&iter, from);
    while (set_iter_next(&iter, &member))
        set->lp = listpack_append(set->lp, set_member_bytes(&member, text));
}

static void fill_table(struct set *set, const struct set *from, size_t expected)
{
    struct set_member member;
    struct set_iter iter;

    set->table = table_new(expected);
    set_iter_init(&iter, from);
    while (set_iter_next(&iter, &member))
        set_table_insert(set->table, &member);
}

static void free_packed(const struct set *set)
{
    if (set->form == SET_INTSET)
        intset_free(set->ints);
    else
        listpack_free(set->lp);
}

void set_become(struct set *set, enum set_form form, size_t expected)
{
    struct set from = *set;

    ASSERT(form > set->form);
    set->form = form;
    if (form == SET_LISTPACK)
        fill_listpack(set, &from);
    else
        fill_table(set, &from, expected);
    free_packed(&from);
}

void set_become_intset(struct set *set)
{
    struct set *ints = set_new();
    struct set_member member;
    struct set_iter iter;
    char text[SET_TEXT_MAX];
    bool is_new;

    set_iter_init(&iter, set);
    while (ints->form == SET_INTSET && set_size(ints) <= limits.intset_entries &&
           set_iter_next(&iter, &member)) {
        int64_t number;

        if (!int64_parse(set_member_bytes(&member, text), &number))
            break;
        ints->ints = intset_add(ints->ints, number, &is_new);
    }
    if (set_size(ints) == set_size(set) && set_size(ints) <= limits.intset_entries) {
        struct set swap = *set;
        *set = *ints;
        *ints = swap;
    }
    set_free(ints);
}

/* ---- members ---- */

void set_probe_init(struct set_probe *probe, const struct set_member *member)
{
    probe->text = hashed(set_member_bytes(member, probe->number_text));
    probe->is_int = member->data ? INT_UNKNOWN : INT_IS;
    if (!member->data)
        probe->number = member->number;
}

static inline struct set_probe probe_of(struct hashed member)
{
    struct set_probe probe;

    probe.text = member;
    probe.is_int = INT_UNKNOWN;
    return probe;
}

static inline bool probe_is_int(struct set_probe *probe)
{
    if (probe->is_int == INT_UNKNOWN)
        probe->is_int = int64_parse(probe->text.bytes, &probe->number) ? INT_IS : INT_IS_NOT;
    return probe->is_int == INT_IS;
}

static listpack_pos packed_find(const struct listpack *lp, struct bytes member)
{
    return listpack_find(lp, listpack_first(lp), member, 0);
}

static inline bool has(const struct set *set, struct set_probe *probe)
{
    if (set->form == SET_TABLE)
        return dict_find_slot(set->table, set_probe_hash(probe), block_has_member, &probe->text.bytes);
    if (set->form == SET_LISTPACK)
        return packed_find(set->lp, probe->text.bytes);
    return probe_is_int(probe) && intset_has(set->ints, probe->number);
}

bool set_has_probe(const struct set *set, struct set_probe *probe) { return has(set, probe); }

bool set_has(const struct set *set, struct hashed member)
{
    struct set_probe probe = probe_of(member);

    return has(set, &probe);
}

/* The member is not among the numbers. As in Redis the longest of them decides for all. */
static bool ints_fit_listpack_with(const struct intset *ints, struct bytes member)
{
    size_t count = intset_count(ints), longest = 0;

    if (count > 0) {
        size_t low = int64_text_len(intset_at(ints, 0));
        size_t high = int64_text_len(intset_at(ints, count - 1));
        longest = low > high ? low : high;
    }
    return count < limits.listpack_entries && member.len <= limits.listpack_value &&
           longest <= limits.listpack_value &&
           count * LISTPACK_TEXT_MAX + member.len < LISTPACK_SIZE_MAX;
}

static bool ints_add(struct set *set, struct set_probe *probe)
{
    size_t count = intset_count(set->ints);
    bool is_new;

    if (probe_is_int(probe)) {
        set->ints = intset_add(set->ints, probe->number, &is_new);
        if (is_new && count + 1 > limits.intset_entries)
            set_become(set, SET_TABLE, count + 1);
        return is_new;
    }
    if (ints_fit_listpack_with(set->ints, probe->text.bytes)) {
        set_become(set, SET_LISTPACK, 0);
        set->lp = listpack_append(set->lp, probe->text.bytes);
        return true;
    }
    set_become(set, SET_TABLE, count + 1);
    return table_add(set->table, probe->text.bytes, set_probe_hash(probe));
}

static bool packed_add(struct set *set, struct set_probe *probe)
{
    struct bytes member = probe->text.bytes;
    size_t count;

    if (packed_find(set->lp, member))
        return false;
    count = listpack_count(set->lp);
    if (count < limits.listpack_entries && member.len <= limits.listpack_value &&
        listpack_fits(set->lp, member.len)) {
        set->lp = listpack_append(set->lp, member);
        return true;
    }
    set_become(set, SET_TABLE, count + 1);
    return table_add(set->table, member, set_probe_hash(probe));
}

static inline bool add(struct set *set, struct set_probe *probe)
{
    if (set->form == SET_TABLE)
        return table_add(set->table, probe->text.bytes, set_probe_hash(probe));
    return set->form == SET_LISTPACK ? packed_add(set, probe) : ints_add(set, probe);
}

bool set_add_probe(struct set *set, struct set_probe *probe) { return add(set, probe); }

bool set_add(struct set *set, struct hashed member)
{
    struct set_probe probe = probe_of(member);

    return add(set, &probe);
}

bool set_add_member(struct set *set, const struct set_member *member)
{
    struct set_probe probe;

    set_probe_init(&probe, member);
    return add(set, &probe);
}

bool set_remove(struct set *set, struct hashed member)
{
    struct set_probe probe = probe_of(member);

    if (set->form == SET_TABLE) {
        uint64_t hash = set_probe_hash(&probe);
        struct dict_slot *slot = dict_find_slot(set->table, hash, block_has_member, &member.bytes);
        if (slot)
            set_table_remove(set->table, hash, slot);
        return slot;
    }
    if (set->form == SET_LISTPACK) {
        listpack_pos at = packed_find(set->lp, member.bytes);
        if (at)
            set->lp = listpack_remove(set->lp, at, 1, NULL);
        return at;
    }
    bool is_removed = false;
    if (probe_is_int(&probe))
        set->ints = intset_remove(set->ints, probe.number, &is_removed);
    return is_removed;
}

/* ---- copy ---- */

struct set *set_copy(const struct set *set)
{
    struct set *copy = mem_alloc_zero(sizeof *copy);

    copy->form = set->form;
    if (set->form == SET_INTSET)
        copy->ints = intset_copy(set->ints);
    else if (set->form == SET_LISTPACK)
        copy->lp = listpack_copy(set->lp);
    else
        fill_table(copy, set, set_size(set));
    return copy;
}

/* ---- what is packed, as RDB keeps it ---- */

bool set_packed(const struct set *set, struct bytes *packed, bool *is_intset)
{
    *is_intset = set->form == SET_INTSET;
    if (set->form == SET_INTSET)
        *packed = (struct bytes){(const char *)set->ints, intset_bytes(set->ints)};
    else if (set->form == SET_LISTPACK)
        *packed = (struct bytes){(const char *)set->lp, listpack_bytes(set->lp)};
    return set->form == SET_INTSET || set->form == SET_LISTPACK;
}

struct set *set_from_intset(struct bytes packed)
{
    struct set *set;

    if (!intset_is_valid(packed))
        return NULL;
    set = mem_alloc_zero(sizeof *set);
    set->form = SET_INTSET;
    set->ints = intset_from_bytes(packed);
    if (set_size(set) > limits.intset_entries)
        set_become(set, SET_TABLE, set_size(set));
    return set;
}

struct set *set_from_listpack(struct bytes packed)
{
    struct set *set;

    if (!listpack_is_valid(packed) || !listpack_is_distinct((const struct listpack *)(const void *)packed.data, 0))
        return NULL;
    set = mem_alloc_zero(sizeof *set);
    set->form = SET_LISTPACK;
    set->lp = listpack_from_bytes(packed);
    if (set_size(set) > limits.listpack_entries)
        set_become(set, SET_TABLE, set_size(set));
    return set;
}

/* ---- check ---- */

static void check_listpack(const struct listpack *lp)
{
    char text[LISTPACK_TEXT_MAX];

    ASSERT(listpack_is_valid((struct bytes){(const char *)lp, listpack_bytes(lp)}));
    for (listpack_pos at = listpack_first(lp), next; at; at = next) {
        next = listpack_next(lp, at);
        ASSERT(!next || !listpack_find(lp, next, listpack_get(at, text), 0));
    }
}

static void check_table(const struct dict *table)
{
    struct dict_iter iter;
    const void *block;

    dict_check(table);
    dict_iter_init(&iter, table);
    while ((block = dict_iter_next(&iter)) != NULL) {
        struct bytes member = block_member(block);
        ASSERT(dict_find(table, hash_bytes(member), block_has_member, &member) == block);
    }
}

void set_check(const struct set *set)
{
    if (set->form == SET_TABLE)
        check_table(set->table);
    else if (set->form == SET_LISTPACK)
        check_listpack(set->lp);
    else
        ASSERT(intset_is_valid((struct bytes){(const char *)set->ints, intset_bytes(set->ints)}));
}

/* ---- the row ---- */

static const char *any_encoding(const void *value) { return set_encoding(value); }
static size_t any_memory(const void *value, size_t samples) { return set_memory(value, samples); }
static size_t any_free_effort(const void *value) { return set_free_effort(value); }
static bool any_free_step(void *value, size_t budget) { return set_free_step(value, budget); }
static void *any_copy(const void *value) { return set_copy(value); }
static void any_check(const void *value) { set_check(value); }

static void move_block(void *context, struct dict_slot *slot)
{
    void *block = dict_slot_entry(slot);

    dict_slot_move(slot, mem_move_together(block, block_size(block_member(block).len), context));
}

static uint64_t any_move_step(void *value, uint64_t cursor, size_t *moved)
{
    struct set *set = value;

    if (set->form == SET_TABLE)
        return dict_scan_slots(set->table, cursor, move_block, moved);
    if (set->form == SET_LISTPACK)
        set->lp = mem_move_together(set->lp, listpack_bytes(set->lp), moved);
    else
        set->ints = mem_move_together(set->ints, intset_bytes(set->ints), moved);
    return 0;
}

static const struct dict *any_table(const void *value)
{
    const struct set *set = value;

    return set->form == SET_TABLE ? set->table : NULL;
}

const struct value_ops set_value_ops = {
    .table = any_table,
    .encoding = any_encoding,
    .memory = any_memory,
    .free_effort = any_free_effort,
    .free_step = any_free_step,
    .move_step = any_move_step,
    .copy = any_copy,
    .check = any_check,
};
