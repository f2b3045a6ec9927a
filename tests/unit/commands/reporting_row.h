/* A row of test_reporting.c. */
#ifndef TERN_TESTS_REPORTING_ROW_H
#define TERN_TESTS_REPORTING_ROW_H

struct row {
    const char *before;  /* commands in front, with ; between; "+5" lets 5 ms pass; "1:..." is
                          * another client's, which may wait */
    const char *command; /* "1 2: ..." says nothing of others */
    const char *stream;  /* lines end in \n */
    const char *events;  /* "event key", with ; between */
};

#endif
