/* The write stream: commands whose effect is certain, for whoever joins (the append-only file, replicas,
 * tests).
 *
 * An execution unit (a command, an EXEC) that made several is wrapped in MULTI and EXEC. A command
 * that was marked by key_changed travels as it was sent, unless its handler said what travels instead:
 *
 *     propagate_instead(req, 3, (struct bytes[]){BYTES("PEXPIREAT"), req->argv[1], deadline});
 */
#ifndef TERN_ENGINE_PROPAGATE_H
#define TERN_ENGINE_PROPAGATE_H

#include "base/bytes.h"

struct db;
struct engine;
struct request;

/* Kinds of sinks, as redis.set_repl names them. */
#define PROPAGATE_TO_FILE     1u
#define PROPAGATE_TO_REPLICAS 2u
#define PROPAGATE_TO_ALL      (PROPAGATE_TO_FILE | PROPAGATE_TO_REPLICAS)

struct propagation_sink {
    /* One command in RESP. Called when its unit ends. */
    void (*write)(void *context, int db, struct bytes command);
    void *context;
    struct propagation_sink *next;
    unsigned kind; /* PROPAGATE_TO_FILE or _REPLICAS; 0: it hears of everything that travels anywhere */
};

void propagate_join(struct engine *engine, struct propagation_sink *sink);
void propagate_leave(struct engine *engine, struct propagation_sink *sink);

/* What travels in place of the running command; may be called several times. */
void propagate_instead(struct request *req, int argc, const struct bytes *argv);
/* The same, one argument after the other: exactly 'argc' of them follow. */
void propagate_begin(struct request *req, int argc);
void propagate_argument(struct request *req, struct bytes argument);
/* The running command changed something but nothing travels for it. */
void propagate_nothing(struct request *req);
/* Beside the running command, or outside of any. */
void propagate_also(struct engine *engine, int db, int argc, const struct bytes *argv);

/* What is written from now on travels to sinks of these kinds only, until the next call. */
void propagate_only_to(struct engine *engine, unsigned kinds);
/* What the unit has written so far does not travel: the server ends in the middle of it. */
void propagate_drop(struct engine *engine);

/* The engine's: a unit's commands are handed to the sinks. */
void propagate_request(struct request *req);
void propagate_end_unit(struct engine *engine);

#endif
