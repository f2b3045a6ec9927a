/* The system's log, for log.c: its header has names of its own for levels. */
#ifndef TERN_BASE_LOG_INTERNAL_H
#define TERN_BASE_LOG_INTERNAL_H

/* 'name' stays the caller's. 'facility': 0 for user, 1 to 8 for local0 to local7. */
void syslog_begin(const char *name, int facility);
/* 'level' as enum log_level. */
void syslog_line(int level, const char *text);

#endif
