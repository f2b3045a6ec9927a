/* Log lines to standard output or a file, and to the system's log as well. */
#include "base/log.h"

#include "base/error.h"
#include "log_internal.h"

#include <fcntl.h>
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
    bool uses_syslog;
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

void log_use_syslog(const char *name, int facility)
{
    syslog_begin(name, facility);
    logger.uses_syslog = true;
}

/* The file is opened for each line. Nothing here takes memory or a lock: a handler of a signal calls it too. */
static void write_out(const char *text, size_t len)
{
    int fd = *logger.path ? open(logger.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644) : STDOUT_FILENO;

    while (fd >= 0 && len) {
        ssize_t written = write(fd, text, len);

        if (written <= 0)
            break; /* the disk's trouble must not become the server's */
        text += written;
        len -= (size_t)written;
    }
    if (fd >= 0 && *logger.path)
        close(fd);
}

void log_raw(const char *text) { write_out(text, strlen(text)); }

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
    if (logger.uses_syslog)
        syslog_line((int)level, text);
}

/* --- from a signal's handler -------------------------------------------------------------------------------- */

static char *add_text(char *at, const char *text)
{
    while (*text)
        *at++ = *text++;
    return at;
}

static char *add_number(char *at, unsigned long long number)
{
    char digits[24];
    int count = 0;

    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (count)
        *at++ = digits[--count];
    return at;
}

void log_from_signal(enum log_level level, const char *text)
{
    char line[256], *at = line;

    if (level < logger.level || strlen(text) > sizeof line / 2)
        return;
    at = add_number(at, (unsigned long long)getpid());
    at = add_text(at, ":signal-handler (");
    at = add_number(at, (unsigned long long)time(NULL));
    at = add_text(at, ") ");
    at = add_text(at, text);
    *at++ = '\n';
    write_out(line, (size_t)(at - line));
}
