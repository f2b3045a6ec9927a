/* MULTI, EXEC, DISCARD, WATCH: transactions. */
#ifndef TERN_ENGINE_MULTI_H
#define TERN_ENGINE_MULTI_H

#include "engine/request.h"

void multi_begin(struct request *req);
void multi_exec(struct request *req);
void multi_discard_command(struct request *req);
/* Without a reply: the queue and the watched keys go (RESET). */
void multi_forget(struct client *client);
void watch_key(struct client *client, struct db *db, struct bytes key);
void watch_forget_all(struct client *client);

size_t multi_queued(const struct client *client); /* commands */
size_t multi_watched(const struct client *client); /* keys */
size_t watching_keys(const struct engine *engine);  /* of all clients */

#endif
