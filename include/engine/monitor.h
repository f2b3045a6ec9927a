/* Clients that watch every command (MONITOR). */
#ifndef TERN_ENGINE_MONITOR_H
#define TERN_ENGINE_MONITOR_H

struct client;

void monitor_begin(struct client *client);
void monitor_end(struct client *client); /* nothing when it does not watch */

#endif
