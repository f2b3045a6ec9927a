/* Log lines to standard output or a file. */
#include "base/log.h"

#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define LOG_LINE_MAX 1024

static struct {
    enum log_level level;
    char role;
    char path[1024];
} logger = {.level = LOG_NOTICE, .role = 'M'};

void log_set_level(enum log_level level) { logger.level = level; }
enum log_level log_get_level(void) { return logger.level; }
void log_set_role(char role) { logger.role = role; }

int log_set_file(const char *path, struct error *error)
{
    FILE *file;

    if (strlen(path) >= sizeof logger.path)
        return error_set(error, "Can't open the log file: File name too long");
    if (*path) {
        file = fopen(path, "a");
        if (!file)
            return error_set_errno(error, "Can't open the log file");
        fclose(file);
    }
    memcpy(logger.path, path, strlen(path) + 1);
    return 0;
}

void log_raw(const char *text)
{
    FILE *file = *logger.path ? fopen(logger.path, "a") : stdout;

    if (!file)
        return; /* the disk's trouble must not become the server's */
    fputs(text, file);
    if (file == stdout)
        fflush(file);
    else
        fclose(file);
}

void log_write(enum log_level level, const char *format, ...)
{
    static const char marks[] = ".-*#";
    char line[LOG_LINE_MAX + 128], stamp[32], text[LOG_LINE_MAX];
    struct timeval now;
    struct tm local;
    va_list args;

    if (level < logger.level || level >= LOG_NOTHING)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    gettimeofday(&now, NULL);
    localtime_r(&now.tv_sec, &local);
    strftime(stamp, sizeof stamp, "%d %b %Y %H:%M:%S", &local);
    snprintf(line, sizeof line, "%d:%c %s.%03d %c %s\n", (int)getpid(), logger.role, stamp,
             (int)(now.tv_usec / 1000), marks[level], text);
    log_raw(line);
}
