/* What the files that read and write values share. */
#ifndef TERN_PERSIST_RDB_VALUE_INTERNAL_H
#define TERN_PERSIST_RDB_VALUE_INTERNAL_H

#include "persist/rdb_value.h"
#include "rdb_format_internal.h"

#include "types/hash_value.h"
#include "types/list.h"
#include "types/set.h"
#include "types/stream_group.h"
#include "types/zset.h"

#define ID_BYTES 16 /* a stream's id within RDB: both halves with the higher byte first */

/* A reader that returns NULL has met something malformed. */
struct list *rdb_read_list(struct rdb_reader *reader, unsigned type);
struct hash *rdb_read_hash(struct rdb_reader *reader, unsigned type);
struct stream *rdb_read_stream(struct rdb_reader *reader, unsigned type);
void rdb_write_stream(struct rdb_writer *writer, const struct stream *stream);

/* --- what Redis kept small values in before listpacks (rdb_ziplist.c) ---
 *
 *     struct ziplist ziplist;
 *     if (!ziplist_open(&ziplist, bytes)) ... malformed
 *     while (ziplist_next(&ziplist, &value)) ...
 *     if (!ziplist.is_good) ... malformed
 */
struct ziplist {
    const unsigned char *at, *end; /* 'end' is at the mark */
    uint32_t previous_bytes;
    const unsigned char *last, *tail;
    unsigned count, declared;
    bool is_good;
    char text[INT64_TEXT_MAX + 1];
};
bool ziplist_open(struct ziplist *ziplist, struct bytes bytes);
/* A view that holds until the next call; false at the end or where it is malformed. */
bool ziplist_next(struct ziplist *ziplist, struct bytes *value);

struct zipmap {
    const unsigned char *at, *end;
    bool is_good;
};
bool zipmap_open(struct zipmap *zipmap, struct bytes bytes);
bool zipmap_next(struct zipmap *zipmap, struct bytes *field, struct bytes *value);

#endif
