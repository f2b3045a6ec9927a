/* The list value: a deque of strings.
 *
 * Small lists are one listpack; larger ones a chain of listpacks, each within the limit. Which one
 * it is, is known here alone: others see size, index, push, pop and iteration.
 *
 * A struct list is 16 bytes and never moves while the key lives, whatever its encoding does. The
 * values that are given to it are copied; they are never views into the same list. */
#ifndef TERN_TYPES_LIST_H
#define TERN_TYPES_LIST_H

#include "base/bytes.h"
#include "types/value_ops.h"

#include <stdbool.h>
#include <stdint.h>

/* list-max-listpack-size: > 0 entries a packed block (and 8 KB); -1..-5: 4, 8, 16, 32, 64 KB a
 * block; others as their nearest. One number for the server; it applies to blocks from the next
 * change on. Default -2. */
void list_set_listpack_limit(int limit);
int list_listpack_limit(void); /* as it was set */

enum list_end { LIST_HEAD, LIST_TAIL };

struct list;

struct list *list_new(void);
void list_free(struct list *list);
/* Frees at most about 'budget' blocks; true when all is gone ('list' too), false to call again. */
bool list_free_step(struct list *list, size_t budget);
/* About how many blocks list_free has to free: what is small is freed at once. */
size_t list_free_effort(const struct list *list);

size_t list_size(const struct list *list);
const char *list_encoding(const struct list *list); /* "listpack" or "quicklist" */
size_t list_memory(const struct list *list);
/* Of a "quicklist": how many blocks it has and the bytes of their contents (DEBUG OBJECT). False when
 * it is a "listpack". */
bool list_blocks(const struct list *list, size_t *count, size_t *bytes);

void list_push(struct list *list, enum list_end end, struct bytes value);
/* One push after the other. As in Redis, one command's values decide together whether the list
 * stays one listpack: use this where a command has several. */
void list_push_all(struct list *list, enum list_end end, const struct bytes *values, size_t count);
/* The decision alone: the list becomes a chain when it would for these values. Adding makes it by
 * itself; LINSERT makes it even when its pivot is missing then. */
void list_expect(struct list *list, const struct bytes *values, size_t count);

/* A view of the value at 'index' (negative from the tail); 'text' (LISTPACK_TEXT_MAX bytes) is used
 * for integers. False when out of range. The view holds until the list changes. */
bool list_get(const struct list *list, int64_t index, char *text, struct bytes *value);
/* False when out of range. */
bool list_set(struct list *list, int64_t index, struct bytes value);
/* Removes 'count' values from one end; there must be that many. */
void list_drop(struct list *list, enum list_end end, size_t count);

/* From 'index' (negative from the tail) towards 'to' (LIST_TAIL goes up, LIST_HEAD down); gives
 * nothing when 'index' is out of range. */
struct list_iter {
    const struct list *list;
    size_t block;            /* which one of a chain */
    const unsigned char *at; /* NULL at the end */
    enum list_end to;
    bool is_plain; /* 'block' is one large value */
    bool is_given; /* 'at' was given out, the next one is behind it */
    char text[24];
};
void list_iter_init(struct list_iter *iter, const struct list *list, int64_t index,
                    enum list_end to);
bool list_iter_next(struct list_iter *iter, struct bytes *value); /* false at the end */
/* The same without reading the value, which list_iter_is then compares with another. */
bool list_iter_step(struct list_iter *iter);
bool list_iter_is(const struct list_iter *iter, struct bytes value);

/* Removes the value that list_iter_next or list_iter_step has just given; the iterator goes on behind it. */
void list_remove(struct list *list, struct list_iter *iter);
/* Inserts beside the value that list_iter_next has just given: LIST_HEAD is before it, LIST_TAIL
 * behind it, wherever the iterator goes. The iterator is void then. */
void list_insert(struct list *list, struct list_iter *iter, enum list_end side,
                 struct bytes value);

struct list *list_copy(const struct list *list);

/* --- blocks, as RDB keeps them ------------------------------------------------------------ */

struct list_block {
    struct bytes bytes; /* a listpack, or one large value */
    bool is_plain;
};
size_t list_block_count(const struct list *list);
struct list_block list_block_at(const struct list *list, size_t index);

/* Puts a block that came from outside behind the last one, as it is; false when the bytes are no listpack. One
 * without values is left out. When all are there list_settle decides whether it is a listpack or a chain. */
bool list_add_block(struct list *list, struct bytes listpack);
void list_settle(struct list *list);
/* It is a chain, however small. */
void list_make_chain(struct list *list);

extern const struct value_ops list_value_ops;

/* Walks all invariants; stops the process when one does not hold. */
void list_check(const struct list *list);

#endif
