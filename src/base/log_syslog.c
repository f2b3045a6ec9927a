/* Lines to the system's log. */
#include "log_internal.h"

#include <syslog.h>

void syslog_begin(const char *name, int facility)
{
    openlog(name, LOG_PID | LOG_NDELAY | LOG_NOWAIT, facility ? LOG_LOCAL0 + ((facility - 1) << 3) : LOG_USER);
}

void syslog_line(int level, const char *text)
{
    static const int priorities[] = {LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING};

    syslog(priorities[level], "%s", text);
}
