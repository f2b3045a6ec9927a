/* Sentences about what went wrong outside. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return -1;
}

int error_set_errno(struct error *error, const char *format, ...)
{
    int saved = errno;
    size_t len;
    va_list args;

    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    len = strlen(error->text);
    snprintf(error->text + len, sizeof error->text - len, ": %s", strerror(saved));
    errno = saved;
    return -1;
}
