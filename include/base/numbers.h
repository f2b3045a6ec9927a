/* Numbers and their text, exactly as Redis reads and prints them. */
#ifndef TERN_BASE_NUMBERS_H
#define TERN_BASE_NUMBERS_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

#define INT64_TEXT_MAX       21   /* "-9223372036854775808", no terminator */
#define DOUBLE_TEXT_MAX      32   /* what double_format writes, no terminator */
#define LONG_DOUBLE_TEXT_MAX 5120 /* what long_double_format writes, no terminator */

/* The one text of an integer only: no space, no plus, no leading zero, no "-0". False when the text
 * is anything else or does not fit; '*value' is then untouched. */
bool int64_parse(struct bytes text, int64_t *value);
bool uint64_parse(struct bytes text, uint64_t *value);

/* Writes the decimal text and returns its length. 'out' holds INT64_TEXT_MAX bytes. */
size_t int64_format(char *out, int64_t value);
size_t uint64_format(char *out, uint64_t value);
size_t int64_text_len(int64_t value);

/* As Redis reads a double argument (scores, increments): the whole text in strtod's grammar with
 * inf, infinity and hex, no leading space, no trailing bytes, NaN refused, overflow to infinity
 * refused as Redis does (ERANGE). */
bool double_parse(struct bytes text, double *value);
/* As Redis reads the argument of INCRBYFLOAT, and a timeout. */
bool long_double_parse(struct bytes text, long double *value);

/* A text that reads back as the same double, byte for byte the one of Redis 7.2 and later: nearly
 * always the shortest (numbers_double.c tells why not always). "3", "3.5", "1e-7", "1e+20",
 * "1.7976931348623157e+308", "inf", "-inf", "nan", "-0". Integers up to 2^62 print without
 * exponent. Returns the length. */
size_t double_format(char *out, double value);
/* The same, but that a round number from 1e+8 on may have an exponent: "1e+10" (DEBUG DIGEST). */
size_t double_format_shortest(char *out, double value);

/* Redis's human form of a long double (INCRBYFLOAT, HINCRBYFLOAT): "%.17Lf" with trailing zeros and
 * point removed; "-0" becomes "0". Returns the length. */
size_t long_double_format(char *out, long double value);

/* "100", "1k", "1kb", "2mb", "1gb" ...: k m g are powers of 1000, kb mb gb of 1024, any case; no
 * digits are 0, as in Redis. False when malformed or too large. */
bool memory_size_parse(struct bytes text, uint64_t *bytes);

#endif
