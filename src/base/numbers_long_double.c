/* Long doubles, as text and back: the arithmetic of INCRBYFLOAT and HINCRBYFLOAT. */
#include "base/numbers.h"

#include "base/assert.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DECIMALS_SCALE 100000000000000000ULL /* 10^17: the decimals that are printed */

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* Redis's limit of the length (MAX_LONG_DOUBLE_CHARS) is part of what it accepts. */
bool long_double_parse(struct bytes text, long double *value)
{
    char copy[LONG_DOUBLE_TEXT_MAX];
    char *end;

    if (text.len == 0 || text.len >= sizeof copy || is_space(text.data[0]))
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    errno = 0;
    long double result = strtold(copy, &end);
    if (end != copy + text.len || isnan(result))
        return false;
    if (errno == ERANGE && (isinf(result) || result == 0))
        return false;
    *value = result;
    return true;
}

static size_t write_fixed(char *out, bool is_negative, uint64_t integer, uint64_t decimals)
{
    char *at = out;

    if (is_negative && (integer > 0 || decimals > 0))
        *at++ = '-';
    at += uint64_format(at, integer);
    if (decimals > 0) {
        size_t digits = uint64_format(at, DECIMALS_SCALE + decimals);
        *at = '.'; /* was the 1 of the scale, which keeps the zeros behind it */
        for (at += digits; at[-1] == '0';)
            at--;
    }
    return (size_t)(at - out);
}

/* Numbers below 2^64 in exact integers, rounded as printf does: to nearest, halves to even. Returns
 * 0 for the others, and where a long double has more than 64 bits. A fifth of printf's time. */
static size_t format_below_2_64(char *out, long double value)
{
    int exponent;
    uint64_t mantissa = (uint64_t)(frexpl(fabsl(value), &exponent) * 0x1p64L);
    int shift = 64 - exponent; /* the magnitude is mantissa / 2^shift */

    if (LDBL_MANT_DIG > 64 || shift < 0 || shift > 127)
        return 0;
    unsigned __int128 one = (unsigned __int128)1 << shift;
    uint64_t integer = shift < 64 ? mantissa >> shift : 0;
    unsigned __int128 product = (mantissa & (one - 1)) * DECIMALS_SCALE; /* below 2^64 * 2^57 */
    uint64_t decimals = (uint64_t)(product >> shift);
    unsigned __int128 rest = (product & (one - 1)) * 2;
    decimals += rest > one || (rest == one && decimals % 2 == 1);
    integer += decimals / DECIMALS_SCALE;
    return write_fixed(out, value < 0, integer, decimals % DECIMALS_SCALE);
}

static size_t format_with_printf(char *out, long double value)
{
    int written = snprintf(out, LONG_DOUBLE_TEXT_MAX, "%.17Lf", value);

    ASSERT(written > 0 && written < LONG_DOUBLE_TEXT_MAX);
    size_t len = (size_t)written;
    while (out[len - 1] == '0')
        len--;
    if (out[len - 1] == '.')
        len--;
    if (len != 2 || out[0] != '-' || out[1] != '0')
        return len;
    out[0] = '0';
    return 1;
}

size_t long_double_format(char *out, long double value)
{
    size_t len = isfinite(value) ? format_below_2_64(out, value) : 0;

    return len > 0 ? len : format_with_printf(out, value);
}
