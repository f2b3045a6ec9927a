/* Clients that watch every command (MONITOR). */
#ifndef TERN_ENGINE_MONITOR_H
#define TERN_ENGINE_MONITOR_H

struct client;
struct request;

void monitor_begin(struct client *client);
void monitor_end(struct client *client); /* nothing when it does not watch */
/* Shows it now: a command whose row skips MONITOR, but that should stand before those that it runs. */
void monitor_show(struct request *req);

#endif
