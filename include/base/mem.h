/* The only allocator that the code calls.
 *
 * Sizes up to MEM_SMALL_MAX come from a slab: 8-byte classes to 128, then four classes to each
 * doubling. Larger ones are rounded up to pages; above 256 KB each is a mapping of its own. The
 * caller gives the size back when it frees, so a block has no header. When memory is out, the
 * process stops with a report: a result is never NULL.
 *
 *     struct thing *thing = mem_alloc(sizeof *thing);
 *     ...
 *     mem_free(thing, sizeof *thing);
 *
 * Blocks are aligned to 8 bytes, those of 16 bytes and more whose class is a multiple of 16 to 16;
 * a large block is aligned to a page. A block's address fits in 47 bits.
 *
 * The slab's bookkeeping is out of band: allocating and freeing do not write into free blocks or
 * into the pages of neighbours, so that a forked child keeps sharing them. Under AddressSanitizer
 * what is free is poisoned and every block has a red zone.
 *
 * The state is the process's (one thread). src/README.md lists the few modules that keep any in
 * file-static variables. */
#ifndef TERN_BASE_MEM_H
#define TERN_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEM_SMALL_MAX 32768

void *mem_alloc(size_t size);
void *mem_alloc_zero(size_t size);

/* Keeps the common beginning; the block may move. What has a mapping of its own is remapped, not
 * copied. NULL with size 0 is allowed. */
void *mem_resize(void *block, size_t old_size, size_t new_size);

/* 'size' is what was asked for. NULL is allowed. A large block's pages are given back later, in
 * slices (mem_background_step), or at once when nothing calls that. */
void mem_free(void *block, size_t size);

/* What a block of 'size' bytes really takes: sizes with the same answer can share a block in place.
 * Under AddressSanitizer that is 'size' itself, so that the red zone begins where the block ends.
 */
size_t mem_block_size(size_t size);

/* True when moving this small block to a fresh one would help to empty its page: its page is among
 * the sparsest of its class, and the others have room for what these hold. False for large blocks
 * and while a snapshot child lives. After a yes, allocate, copy and free before anything else. */
bool mem_worth_moving(const void *block, size_t size);
/* Moves the block when it is worth it: returns where it is then, and counts up '*moved' when it moved. */
void *mem_move_together(void *block, size_t size, size_t *moved);

/* Address space that is committed as it is touched, zero-filled, for tables that grow at one end
 * and shrink at the other. Not counted in mem_used: the owner tells mem_count what it really uses.
 * From 32 MB on the pages may be huge, so discarding 2 MB at a time is cheapest. */
void *mem_pages_reserve(size_t size);
void mem_pages_discard(void *start,
                       size_t size); /* pages wholly inside are given back, read as zero */
void mem_pages_release(void *start, size_t size); /* the whole reservation */
void mem_count(ptrdiff_t bytes);

/* Gives freed large blocks and empty slab pages back to the kernel, at most about 'budget_ns' of
 * work and the end of the piece that was begun (up to 0.3 ms). Returns true while there is more to
 * do. Does nothing while a snapshot child lives. */
bool mem_background_step(int64_t budget_ns);

/* While a snapshot child shares our pages, each one that we write to is copied: new blocks then
 * come from fresh pages rather than from holes in old ones, and nothing is given back. */
void mem_set_snapshot_child(bool lives);
bool mem_has_snapshot_child(void);

size_t mem_used(void);      /* bytes in blocks that are handed out, as classes, and mem_count */
size_t mem_used_peak(void); /* the highest mem_used so far */
/* Bytes that the kernel backs for us: slab pages, large blocks, what mem_count was told. */
size_t mem_committed(void);

/* Walks every page descriptor and stops the process when one does not add up. */
void mem_check(void);

#endif
