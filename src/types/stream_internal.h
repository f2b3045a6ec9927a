/* What the files of the stream share: its struct and its blocks.
 *
 * A block is a listpack in the layout of Redis's stream nodes. All numbers but the fields' texts and
 * the values are integers:
 *
 *     master   count | deleted | F | field 1 .. field F | 0
 *     entry    flags | ms - master's | seq - master's | value 1 .. value F | F + 3
 *     entry    flags | ms - master's | seq - master's | N | field 1 | value 1 .. value N | 2N + 4
 *
 * The first kind of entry has BLOCK_SAME_FIELDS. The last number says how many elements to step back.
 * 'count' is of entries that are there, 'deleted' of those with BLOCK_DELETED. The master's id stands
 * in the index; it is that of the first entry that the block ever had. */
#ifndef TERN_STREAM_INTERNAL_H
#define TERN_STREAM_INTERNAL_H

#include "types/stream.h"

#define BLOCK_DELETED     1
#define BLOCK_SAME_FIELDS 2

struct stream {
    struct id_index blocks; /* of struct listpack, by their master's id */
    uint64_t length;
    struct stream_id last_id, max_deleted_id;
    uint64_t entries_added;
    void **groups; /* of struct stream_group, ordered by name */
    uint32_t group_count;
    uint32_t tail_capacity; /* bytes of the last block; the others have what they need */
};

/* --- blocks (stream_block.c) --- */

struct block_entry {
    listpack_pos at; /* its flags */
    listpack_pos content;
    struct stream_id id;
    size_t fields;
    int64_t flags;
};

struct block_counts {
    int64_t count, deleted;
};

struct block_counts block_counts(const struct listpack *block);
listpack_pos block_fields(const struct listpack *block, size_t *count);
listpack_pos block_first(const struct listpack *block);
listpack_pos block_last(const struct listpack *block);
struct block_entry block_read(const struct listpack *block, struct stream_id master,
                              listpack_pos at);
/* What follows or precedes an entry, NULL at the end. */
listpack_pos block_behind(const struct listpack *block, const struct block_entry *entry);
listpack_pos block_before(const struct listpack *block, listpack_pos at);

/* An upper bound, and exactly, of what an entry takes, and of what the master of such a block does. */
size_t block_entry_bound(const struct bytes *pairs, size_t fields);
size_t block_entry_bytes(const struct bytes *pairs, size_t fields);
size_t block_master_bytes(const struct bytes *pairs, size_t fields);
/* There is room for it. */
void block_init(struct listpack *block, const struct bytes *pairs, size_t fields);
void block_append(struct listpack *block, struct stream_id master, struct stream_id id,
                  const struct bytes *pairs, size_t fields);

/* --- the stream's blocks (stream.c) --- */

/* Changes the counts; the block may move. */
struct listpack *stream_recount(struct stream *stream, const struct id_cursor *at, int64_t count,
                                int64_t deleted);
void stream_drop_block(struct stream *stream, struct id_cursor *at);
/* Takes the blocks before the one at 'at' (all of them when it is at none) into a stream of their own,
 * which is only to be freed; NULL when there are none. The length stays as it is. */
struct stream *stream_take_blocks(struct stream *stream, const struct id_cursor *at);

/* --- groups (stream_group.c) --- */

/* True when all are gone; takes what it frees from '*budget'. */
bool stream_groups_free_step(struct stream *stream, size_t *budget);
size_t stream_groups_effort(const struct stream *stream);
size_t stream_groups_memory(const struct stream *stream);
void stream_groups_copy(struct stream *to, const struct stream *from);
void stream_groups_check(const struct stream *stream);

#endif
