/* The stream value: entries of fields and values, ordered by id, and groups of consumers who read
 * them (types/stream_group.h).
 *
 * Entries are packed into blocks, which are Redis's own, byte for byte. An entry whose fields are
 * those of its block's first entry keeps its values alone. A removed entry is marked; a block goes
 * when all of its entries are removed.
 *
 * A struct stream never moves while its key lives. */
#ifndef TERN_TYPES_STREAM_H
#define TERN_TYPES_STREAM_H

#include "base/bytes.h"
#include "ds/listpack.h"
#include "types/id_index.h"
#include "types/stream_id.h"
#include "types/value_ops.h"

struct stream;

/* When a block is full: stream-node-max-bytes and stream-node-max-entries. 0: no limit. */
struct stream_limits {
    int64_t max_bytes, max_entries;
};

struct stream *stream_new(void);
void stream_free(struct stream *stream);

uint64_t stream_length(const struct stream *stream);
struct stream_id stream_first_id(const struct stream *stream); /* 0-0 when empty */
struct stream_id stream_top_id(const struct stream *stream);   /* of the last entry that is there */
/* The highest that was ever given, whether or not its entry is still there. */
struct stream_id stream_last_id(const struct stream *stream);
struct stream_id stream_max_deleted_id(const struct stream *stream);
uint64_t stream_entries_added(const struct stream *stream); /* ever */
size_t stream_blocks(const struct stream *stream);
size_t stream_index_nodes(const struct stream *stream);

/* Whether an entry of these fields and values may be added: one too large for a block may not. */
bool stream_can_hold(const struct bytes *pairs, size_t fields);
/* 'pairs' are field and value by turns. The id is behind the last one. */
void stream_append(struct stream *stream, struct stream_id id, const struct bytes *pairs,
                   size_t fields, struct stream_limits limits);
/* False when there is no such entry. */
bool stream_delete(struct stream *stream, struct stream_id id);
/* XSETID. The last id is not before the last entry's. */
void stream_set_last_id(struct stream *stream, struct stream_id id);
void stream_set_entries_added(struct stream *stream, uint64_t count);
void stream_set_max_deleted_id(struct stream *stream, struct stream_id id);

enum stream_trim_by { TRIM_NONE, TRIM_MAXLEN, TRIM_MINID };

struct stream_trim {
    enum stream_trim_by by;
    bool is_approximate;       /* whole blocks only */
    uint64_t max_length;       /* TRIM_MAXLEN */
    struct stream_id min_id;   /* TRIM_MINID: what is before it goes */
    uint64_t limit;            /* of entries when approximate; 0: none */
};
/* Returns how many entries went. '*taken' becomes a stream that has the blocks which went whole, to be
 * freed, or NULL. */
uint64_t stream_trim(struct stream *stream, const struct stream_trim *trim, struct stream **taken);

/* The entries between two ids, both included, forward or backward.
 *
 *     stream_iter_init(&iter, stream, from, to, false);
 *     while (stream_iter_next(&iter))
 *         for (iter.fields times) stream_iter_field(&iter, &field, &value);
 *
 * The stream must not change meanwhile. */
struct stream_iter {
    struct stream_id id; /* of the entry that stream_iter_next has just given */
    size_t fields;

    const struct stream *stream;
    struct stream_id from, to;
    struct id_cursor block;
    listpack_pos entry;  /* NULL: the next one is in the block's first or last place */
    listpack_pos behind; /* what follows the entry; NULL at the block's end */
    listpack_pos value;  /* to be given next */
    listpack_pos field;  /* of the block's first entry; NULL: the entry has its own */
    bool is_backward;
    char field_text[LISTPACK_TEXT_MAX], value_text[LISTPACK_TEXT_MAX];
};
void stream_iter_init(struct stream_iter *iter, const struct stream *stream, struct stream_id from,
                      struct stream_id to, bool is_backward);
bool stream_iter_next(struct stream_iter *iter); /* false at the end */
/* The next field and its value: views that hold until the next call. There are 'fields' of them. */
void stream_iter_field(struct stream_iter *iter, struct bytes *field, struct bytes *value);
/* How many a forward iterator has still to give, at most 'most'. */
uint64_t stream_iter_count(const struct stream_iter *iter, uint64_t most);
bool stream_has(const struct stream *stream, struct stream_id id);

/* --- blocks, as RDB keeps them --------------------------------------------------------------------- */

struct stream_block {
    struct stream_id master; /* what the ids of its entries are relative to */
    struct bytes listpack;
};
/* 'at' is a cursor of stream_first_block, moved on by id_cursor_next. */
struct id_cursor stream_first_block(const struct stream *stream);
struct stream_block stream_block_at(const struct id_cursor *at);
/* Puts a block that came from outside behind the last one. False when it is malformed, empty, or not behind it. The
 * stream's length and last id follow. */
bool stream_add_block(struct stream *stream, struct stream_block block);

extern const struct value_ops stream_value_ops;

/* Walks all invariants; stops the process when one does not hold. */
void stream_check(const struct stream *stream);

#endif
