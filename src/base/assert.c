/* The end of the process when our own code is wrong: one report, then abort. */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

static void (*report_to)(const char *report);

void assert_set_reporter(void (*reporter)(const char *report)) { report_to = reporter; }

_Noreturn void assert_failed(const char *condition, const char *file, int line,
                             const char *function)
{
    void (*reporter)(const char *) = report_to;
    char report[512];

    snprintf(report, sizeof report, "ASSERTION FAILED: %s:%d %s: %s", file, line, function,
             condition);
    report_to = NULL; /* a reporter that fails in its turn is not asked again */
    if (reporter)
        reporter(report);
    else
        fprintf(stderr, "%s\n", report);
    abort();
}
