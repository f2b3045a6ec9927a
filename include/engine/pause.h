/* CLIENT PAUSE: commands wait, of all clients or only those that may write. Nothing expires meanwhile. */
#ifndef TERN_ENGINE_PAUSE_H
#define TERN_ENGINE_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

struct engine;

void pause_begin(struct engine *engine, int64_t end_ms, bool is_all);
void pause_end(struct engine *engine);
bool pause_is_active(const struct engine *engine);

#endif
