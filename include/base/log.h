/* The server's log, in the form of Redis's: "PID:ROLE 22 Nov 2026 16:31:02.123 * text". */
#ifndef TERN_BASE_LOG_H
#define TERN_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_VERBOSE, LOG_NOTICE, LOG_WARNING, LOG_NOTHING };

struct error;

void log_set_level(enum log_level level);
enum log_level log_get_level(void);
/* 'M' a master, 'S' a replica, 'C' a snapshot child, 'X' Sentinel. */
void log_set_role(char role);
/* An empty path means standard output. The file is opened anew for each line, as logrotate expects. */
int log_set_file(const char *path, struct error *error);
/* Each line goes to the system's log as well. 'name' stays the caller's. 'facility': 0 for user, 1 to 8 for local0 to
 * local7. */
void log_use_syslog(const char *name, int facility);

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Without the stamp in front: banners and reports. */
void log_raw(const char *text);
/* The only one that a signal's handler may call: "PID:signal-handler (unix time) text". */
void log_from_signal(enum log_level level, const char *text);

#endif
