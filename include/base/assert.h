/* Assertions that stay on. An assertion states what our own code guarantees; when it does not hold
 * the process stops with a report. It never judges what a user sent. */
#ifndef TERN_BASE_ASSERT_H
#define TERN_BASE_ASSERT_H

#define ASSERT(condition)                                                                          \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0))                                                     \
            assert_failed(#condition, __FILE__, __LINE__, __func__);                               \
    } while (0)

/* For what costs too much on the path of every request: checked in debug, sanitizer and stress builds. */
#ifdef TERN_DEBUG
#define DEBUG_ASSERT(condition) ASSERT(condition)
#else
#define DEBUG_ASSERT(condition) ((void)sizeof(condition))
#endif

_Noreturn void assert_failed(const char *condition, const char *file, int line, const char *function);

/* Called once with the report before the process aborts (the log joins here). */
void assert_set_reporter(void (*reporter)(const char *report));

#endif
