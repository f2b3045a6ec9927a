/* What the world did wrong, as the sentence that a person will read:
 * "binding 127.0.0.1:6379: Address already in use". Functions that fail so return -1 or false. */
#ifndef TERN_BASE_ERROR_H
#define TERN_BASE_ERROR_H

struct error {
    char text[512];
};

/* Returns -1, so that a caller may write `return error_set(error, "...")`. */
int error_set(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As error_set with ": " and the text of errno behind it. */
int error_set_errno(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
