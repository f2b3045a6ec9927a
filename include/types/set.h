/* The set value: distinct strings in no order.
 *
 * A set of integers is an intset, a small one of short members a listpack, others are a table with one
 * block for each member. Which one it is, is known to src/types/set*.c alone. When to change is Redis's
 * rule, since OBJECT ENCODING shows it; no set becomes smaller in kind again.
 *
 * A struct set is 16 bytes and never moves while the key lives. Members that are given to it are
 * copied; they are never views into the same set. */
#ifndef TERN_TYPES_SET_H
#define TERN_TYPES_SET_H

#include "base/bytes.h"
#include "base/hash.h"
#include "ds/dict.h"
#include "types/value_ops.h"

#include <stdbool.h>
#include <stdint.h>

struct random;
struct set;

/* One for the server; they count from the next change of a set on. */
struct set_limits {
    size_t intset_entries;   /* set-max-intset-entries, 512 */
    size_t listpack_entries; /* set-max-listpack-entries, 128 */
    size_t listpack_value;   /* set-max-listpack-value, 64: bytes of a member */
};
void set_use_limits(struct set_limits limits);

struct set *set_new(void);
/* As Redis begins a set: for a command that brings 'count' members, of which this is the first. */
struct set *set_new_for(struct bytes first, size_t count);
/* The same for a set that is there: it becomes a table when so many would be too many. */
void set_expect(struct set *set, size_t count);
struct set *set_copy(const struct set *set);
void set_free(struct set *set);
/* Frees at most about 'budget' blocks; true when all is gone ('set' too), false to call again, and
 * nothing else. */
bool set_free_step(struct set *set, size_t budget);
/* About how many blocks set_free has to free. */
size_t set_free_effort(const struct set *set);

size_t set_size(const struct set *set);
const char *set_encoding(const struct set *set); /* "intset", "listpack" or "hashtable" */
size_t set_memory(const struct set *set, size_t samples);

bool set_add(struct set *set, struct hashed member);    /* false: was there */
bool set_remove(struct set *set, struct hashed member); /* false: was not there */
bool set_has(const struct set *set, struct hashed member);

/* A member as it is kept: bytes or a number. The view holds until the set changes. */
struct set_member {
    const char *data; /* NULL: it is the number */
    union {
        size_t len;
        int64_t number;
    };
};
#define SET_TEXT_MAX 21
/* 'text' (SET_TEXT_MAX bytes) is used for a number. */
struct bytes set_member_bytes(const struct set_member *member, char *text);

/* All members; the set must not change meanwhile. */
struct set_iter {
    const struct set *set;
    size_t index;            /* of an intset */
    const unsigned char *at; /* in a listpack: what comes next */
    struct dict_iter members;
};
void set_iter_init(struct set_iter *iter, const struct set *set);
bool set_iter_next(struct set_iter *iter, struct set_member *member); /* false at the end */

typedef void set_visit(void *context, const struct set_member *member);

/* Views that were gathered by visits. {0} is empty. */
struct set_members {
    struct set_member *members;
    size_t count, size;
};
void set_members_add(void *members, const struct set_member *member); /* a set_visit */
void set_members_release(struct set_members *members);

/* One step of SSCAN (see dict_scan); what is small is visited whole, whatever the cursor. The visitor
 * leaves the set alone. */
uint64_t set_scan(struct set *set, uint64_t cursor, set_visit *visit, void *context);

/* ---- random members: all with the same chance (set_random.c) ---- */

/* The set is not empty. */
struct set_member set_random(const struct set *set, struct random *random);
/* 'count' different ones, at most all. */
void set_sample(const struct set *set, size_t count, struct random *random, set_visit *visit,
                void *context);
/* The same; each is removed when it has been visited. */
void set_take(struct set *set, size_t count, struct random *random, set_visit *visit,
              void *context);

/* ---- algebra (set_algebra.c): the sets may come in any order and several times ---- */

/* Visits what is in all sets, at most 'limit' members (0: no limit). Puts the smallest set first. */
void set_intersect(const struct set **sets, size_t count, size_t limit, set_visit *visit,
                   void *context);
/* Visits what is in any set. Reorders the sets. */
void set_unite(const struct set **sets, size_t count, set_visit *visit, void *context);
/* Visits what is in the first set and in no other. Reorders the others. */
void set_subtract(const struct set **sets, size_t count, set_visit *visit, void *context);

/* The same as a new set, kept as Redis would keep it. */
struct set *set_intersection(const struct set **sets, size_t count);
struct set *set_union(const struct set **sets, size_t count);
struct set *set_difference(const struct set **sets, size_t count);

/* ---- what is packed, as RDB keeps it ---- */

/* True when the set is an intset or a listpack: its bytes. */
bool set_packed(const struct set *set, struct bytes *packed, bool *is_intset);
/* From such bytes, which are checked; NULL when they are wrong. A set that is larger than the limits becomes a
 * table. */
struct set *set_from_intset(struct bytes packed);
struct set *set_from_listpack(struct bytes packed);

extern const struct value_ops set_value_ops;

/* Walks all invariants; stops the process when one does not hold. */
void set_check(const struct set *set);

#endif
