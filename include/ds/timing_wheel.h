/* Deadlines in milliseconds, found exactly when they are due, however many there are: a
 * hierarchical timing wheel (Varghese and Lauck 1987) whose slots are unordered vectors of node
 * addresses.
 *
 * A node is embedded in what has the deadline. It knows its slot and its place there, so removal is
 * one swap with the slot's last. When time reaches a slot of a higher level its nodes are dealt out
 * to lower ones ("a cascade") in small pieces, one piece a call, so no call takes long.
 *
 *     node->deadline_ms = now + 1500;
 *     wheel_add(&wheel, node);
 *     ...
 *     while (within budget && (progress = wheel_pop(&wheel, now_ms, &due)) != WHEEL_IDLE)
 *         if (progress == WHEEL_DUE) expire(due);       // 'due' is out of the wheel
 *
 * Time may jump forward by any distance at no cost but the cascades of what is there, and backward:
 * a node is never given out before its deadline. A node may be added with a deadline that has
 * passed.
 *
 * Order. While time goes in steps of a millisecond, nodes come out by their millisecond, those of
 * one millisecond in any order. A jump does not sort: where it passes a whole slot of a higher
 * level, that slot's nodes come out as they lie there, after those of earlier slots. */
#ifndef TERN_DS_TIMING_WHEEL_H
#define TERN_DS_TIMING_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wheel_node {
    int64_t deadline_ms; /* set by the user before wheel_add; any value */
    uint32_t place;      /* the wheel's: index within the slot's vector */
    uint32_t slot;       /* the wheel's: which slot */
};

/* About 8 bytes a node: vectors grow in chunks, the last one by a quarter. An empty wheel has some
 * 240 bytes, and 1 KB for each of its 11 levels that was ever used. */
struct wheel;

struct wheel *wheel_new(int64_t now_ms);
void wheel_free(struct wheel *wheel); /* nodes are the user's, and not touched */
/* Frees at most about 'budget' blocks; true when all is gone, false to call again, and nothing
 * else. */
bool wheel_free_step(struct wheel *wheel, size_t budget);

void wheel_add(struct wheel *wheel, struct wheel_node *node);
void wheel_remove(struct wheel *wheel, struct wheel_node *node);
/* The block that holds a node has moved; 'node' is its new place with the old content. */
void wheel_moved(struct wheel *wheel, struct wheel_node *node);

enum wheel_progress {
    WHEEL_IDLE,   /* nothing is due at 'now_ms' */
    WHEEL_WORKED, /* a piece of a cascade was done: call again */
    WHEEL_DUE     /* '*due' was removed from the wheel: its deadline is at or before 'now_ms' */
};
enum wheel_progress wheel_pop(struct wheel *wheel, int64_t now_ms, struct wheel_node **due);

/* No node is due before this time, and wheel_pop has nothing to do before it (a lower bound: a
 * cascade may be needed sooner than a node is due). INT64_MAX when empty, INT64_MIN when there is
 * work now. */
int64_t wheel_next_ms(const struct wheel *wheel);

struct random;
/* Any node, all with the same chance; NULL when empty. */
struct wheel_node *wheel_random(const struct wheel *wheel, struct random *random);
/* The nodes with the nearest deadlines, as far as the wheel has sorted them: those of the slot whose time comes
 * first. All of them in no order when they are 'want' at most, else so many random ones of them, some perhaps
 * twice. Returns how many. */
size_t wheel_nearest(const struct wheel *wheel, struct random *random, struct wheel_node **nodes, size_t want);

/* The mean of all deadlines; 0 when empty. */
int64_t wheel_mean_ms(const struct wheel *wheel);

size_t wheel_size(const struct wheel *wheel);
size_t wheel_memory(const struct wheel *wheel);
/* Calls 'visit' for every node; the wheel must not change meanwhile. */
void wheel_each(const struct wheel *wheel, void (*visit)(void *context, struct wheel_node *node),
                void *context);
/* Walks all invariants; stops the process when one does not hold. */
void wheel_check(const struct wheel *wheel);

#endif
