/* Sections of INFO that have files of their own. */
#ifndef TERN_INFO_INTERNAL_H
#define TERN_INFO_INTERNAL_H

#include "server_internal.h"

/* A number as printf takes it. */
static inline unsigned long long u(uint64_t value) { return value; }

void info_write_memory(struct server *server, struct text *out);
void info_write_stats(struct server *server, struct text *out);
void info_write_commandstats(struct server *server, struct text *out);
void info_write_errorstats(struct server *server, struct text *out);
void info_write_latencystats(struct server *server, struct text *out);

#endif
