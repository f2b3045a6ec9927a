/* Redis's listpack: short strings and integers packed into one block, walked in both directions.
 *
 * Format (a fact shared with RDB; https://github.com/antirez/listpack/blob/master/listpack.md):
 *
 *     total bytes u32 LE | count u16 LE (65535: unknown, walk) | entries | 0xFF
 *     entry: encoding and content | its length, 7 bits a byte, readable from the right
 *
 * A struct listpack is that block, byte for byte. It is allocated with base/mem for its total
 * bytes. Functions that may change its size take and return the block: the old address is void
 * then. A position is a pointer to an entry within the block, void after the next change, NULL for
 * none.
 *
 * Strings that are the text of an integer are stored as integers and come back as such: a value is
 * read as a view, which for an integer is its text in the caller's buffer. */
#ifndef TERN_DS_LISTPACK_H
#define TERN_DS_LISTPACK_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

#define LISTPACK_SIZE_MAX   (1024 * 1024 * 1024) /* larger ones are refused by listpack_fits */
#define LISTPACK_TEXT_MAX   21
#define LISTPACK_EMPTY_SIZE 7

struct listpack; /* opaque bytes */

struct listpack *listpack_new(void);
void listpack_free(struct listpack *lp);
struct listpack *listpack_copy(const struct listpack *lp);

size_t listpack_bytes(const struct listpack *lp); /* total bytes */
size_t listpack_count(const struct listpack *lp);
/* Bytes an entry with this content takes. */
size_t listpack_entry_bytes(struct bytes value);
/* Whether entries of so many bytes may be added: to be asked where a user could make them large. */
bool listpack_fits(const struct listpack *lp, size_t bytes);

typedef const unsigned char *listpack_pos;
listpack_pos listpack_first(const struct listpack *lp); /* NULL when empty */
listpack_pos listpack_last(const struct listpack *lp);
listpack_pos listpack_next(const struct listpack *lp, listpack_pos at); /* NULL behind the last */
listpack_pos listpack_prev(const struct listpack *lp, listpack_pos at);
/* Negative from the end, -1 the last; walks from the nearer end. NULL when out of range. */
listpack_pos listpack_at(const struct listpack *lp, int64_t index);

/* 'text' holds LISTPACK_TEXT_MAX bytes and is used when the entry is an integer. */
struct bytes listpack_get(listpack_pos at, char *text);
/* True and the number when the entry is stored as an integer. */
bool listpack_get_int(listpack_pos at, int64_t *value);
bool listpack_equal(listpack_pos at, struct bytes value);
/* The first entry equal to 'value' from 'at' on, looking at every (skip + 1)th; NULL if none. */
listpack_pos listpack_find(const struct listpack *lp, listpack_pos at, struct bytes value,
                           unsigned skip);

/* 'value' is never a view into the listpack that changes. */
struct listpack *listpack_append(struct listpack *lp, struct bytes value);
struct listpack *listpack_prepend(struct listpack *lp, struct bytes value);
/* Before 'at'; NULL appends. '*inserted' (may be NULL) is its new place. */
struct listpack *listpack_insert(struct listpack *lp, listpack_pos at, struct bytes value,
                                 listpack_pos *inserted);
struct listpack *listpack_replace(struct listpack *lp, listpack_pos at, struct bytes value,
                                  listpack_pos *replaced);
/* Removes 'count' entries from 'at' on; '*next' (may be NULL) is what stands there then. */
struct listpack *listpack_remove(struct listpack *lp, listpack_pos at, size_t count,
                                 listpack_pos *next);
/* All of 'tail' behind all of 'head'; both are consumed. */
struct listpack *listpack_join(struct listpack *head, struct listpack *tail);

/* The same at the ends for an owner that keeps the listpack within a larger buffer of its own: no
 * memory is allocated or freed. To extend there must be listpack_entry_bytes(value) bytes of room
 * before or behind it; a change of the head returns the new beginning. */
struct listpack *listpack_init(void *memory); /* LISTPACK_EMPTY_SIZE bytes */
struct listpack *listpack_extend_head(struct listpack *lp, struct bytes value);
void listpack_extend_tail(struct listpack *lp, struct bytes value);
struct listpack *listpack_cut_head(struct listpack *lp, size_t count);
void listpack_cut_tail(struct listpack *lp, size_t count);

/* Several entries at once behind the last, for such an owner: numbers need no text, and the header
 * is brought up to date once. An entry takes at most LISTPACK_EXTRA_MAX bytes more than its text.
 *
 *     at = listpack_put_int(listpack_tail(lp), 7);
 *     listpack_set_tail(lp, listpack_put(at, value), 2); */
#define LISTPACK_EXTRA_MAX 10
unsigned char *listpack_tail(struct listpack *lp);
unsigned char *listpack_put_int(unsigned char *at, int64_t number); /* returns what is behind it */
unsigned char *listpack_put(unsigned char *at, struct bytes value);
void listpack_set_tail(struct listpack *lp, unsigned char *at, size_t count);

/* Another integer in the place of one that takes as many bytes; false when it takes others. */
bool listpack_set_int(listpack_pos at, int64_t number);
struct listpack *listpack_replace_int(struct listpack *lp, listpack_pos at, int64_t number);

/* True when the bytes are a well-formed listpack (content from outside). */
bool listpack_is_valid(struct bytes bytes);
struct listpack *listpack_from_bytes(struct bytes bytes); /* a copy of valid bytes */
/* True when no two of every (skip + 1)th entries are the same, and each is stored as listpack_append would. */
bool listpack_is_distinct(const struct listpack *lp, unsigned skip);

#endif
