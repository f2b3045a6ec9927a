/* Doubles, as text and back.
 *
 * Printing must agree with Redis 7.2 (and with Redis 8 and Valkey 9, which do the same) byte for
 * byte. Redis prints with Grisu2, from Florian Loitsch, "Printing Floating-Point Numbers Quickly
 * and Accurately with Integers" (PLDI 2010), by way of fpconv
 * (https://github.com/night-shift/fpconv). Grisu2 always reads back as the same double, but in
 * about one of five hundred cases its text is not the shortest, or not the nearest of the shortest.
 * So this is no place for a better algorithm: which cases these are depends on each rounding and on
 * the power of ten that is chosen.
 *
 *       lower      value      upper      all three times the same 10^-k, so that the exponent lies
 *     ----|----------|----------|----    within -60 .. -32 and upper splits into an integer of 32
 *         |<------ delta ------>|        bits and a fraction: digits of upper are produced until
 *                    |<-target->|        the rest is below delta; then the last digit steps down
 *                                        while that comes nearer to the value. */
#include "base/numbers.h"

#include "base/assert.h"
#include "base/mem.h"
#include "digits_internal.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#define DOUBLE_FRACTION_BITS 52
#define DOUBLE_HIDDEN_BIT    ((uint64_t)1 << DOUBLE_FRACTION_BITS)
#define DOUBLE_EXPONENT_BIAS (1023 + DOUBLE_FRACTION_BITS)
#define DOUBLE_DIGITS_MAX    17

#define POWER_FIRST (-348)
#define POWER_STEP  8
#define POWER_COUNT 87

/* A floating-point number without sign: fraction * 2^exponent. */
struct scaled {
    uint64_t fraction;
    int exponent;
};

/* The value of the digits, taken as an integer, times 10^exponent. */
struct decimal {
    char digits[DOUBLE_DIGITS_MAX + 1];
    int count;
    int exponent;
};

/* The 64 leading bits of 10^-348, 10^-340 .. 10^340, rounded to nearest. */
static const uint64_t power_fractions[POWER_COUNT] = {
    0xfa8fd5a0081c0288, 0xbaaee17fa23ebf76, 0x8b16fb203055ac76, 0xcf42894a5dce35ea,
    0x9a6bb0aa55653b2d, 0xe61acf033d1a45df, 0xab70fe17c79ac6ca, 0xff77b1fcbebcdc4f,
    0xbe5691ef416bd60c, 0x8dd01fad907ffc3c, 0xd3515c2831559a83, 0x9d71ac8fada6c9b5,
    0xea9c227723ee8bcb, 0xaecc49914078536d, 0x823c12795db6ce57, 0xc21094364dfb5637,
    0x9096ea6f3848984f, 0xd77485cb25823ac7, 0xa086cfcd97bf97f4, 0xef340a98172aace5,
    0xb23867fb2a35b28e, 0x84c8d4dfd2c63f3b, 0xc5dd44271ad3cdba, 0x936b9fcebb25c996,
    0xdbac6c247d62a584, 0xa3ab66580d5fdaf6, 0xf3e2f893dec3f126, 0xb5b5ada8aaff80b8,
    0x87625f056c7c4a8b, 0xc9bcff6034c13053, 0x964e858c91ba2655, 0xdff9772470297ebd,
    0xa6dfbd9fb8e5b88f, 0xf8a95fcf88747d94, 0xb94470938fa89bcf, 0x8a08f0f8bf0f156b,
    0xcdb02555653131b6, 0x993fe2c6d07b7fac, 0xe45c10c42a2b3b06, 0xaa242499697392d3,
    0xfd87b5f28300ca0e, 0xbce5086492111aeb, 0x8cbccc096f5088cc, 0xd1b71758e219652c,
    0x9c40000000000000, 0xe8d4a51000000000, 0xad78ebc5ac620000, 0x813f3978f8940984,
    0xc097ce7bc90715b3, 0x8f7e32ce7bea5c70, 0xd5d238a4abe98068, 0x9f4f2726179a2245,
    0xed63a231d4c4fb27, 0xb0de65388cc8ada8, 0x83c7088e1aab65db, 0xc45d1df942711d9a,
    0x924d692ca61be758, 0xda01ee641a708dea, 0xa26da3999aef774a, 0xf209787bb47d6b85,
    0xb454e4a179dd1877, 0x865b86925b9bc5c2, 0xc83553c5c8965d3d, 0x952ab45cfa97a0b3,
    0xde469fbd99a05fe3, 0xa59bc234db398c25, 0xf6c69a72a3989f5c, 0xb7dcbf5354e9bece,
    0x88fcf317f22241e2, 0xcc20ce9bd35c78a5, 0x98165af37b2153df, 0xe2a0b5dc971f303a,
    0xa8d9d1535ce3b396, 0xfb9b7cd9a4a7443c, 0xbb764c4ca7a44410, 0x8bab8eefb6409c1a,
    0xd01fef10a657842c, 0x9b10a4e5e9913129, 0xe7109bfba19c0c9d, 0xac2820d9623bf429,
    0x80444b5e7aa7cf85, 0xbf21e44003acdd2d, 0x8e679c2f5e44ff8f, 0xd433179d9c8cb841,
    0x9e19db92b4e31ba9, 0xeb96bf6ebadf77d9, 0xaf87023b9bf0ee6b,
};

/* ---- Printing a double ---- */

static struct scaled scaled_from_bits(uint64_t bits)
{
    uint64_t fraction = bits & (DOUBLE_HIDDEN_BIT - 1);
    int exponent = (int)(bits >> DOUBLE_FRACTION_BITS & 0x7FF);

    if (exponent == 0)
        return (struct scaled){fraction, 1 - DOUBLE_EXPONENT_BIAS};
    return (struct scaled){fraction | DOUBLE_HIDDEN_BIT, exponent - DOUBLE_EXPONENT_BIAS};
}

static struct scaled scaled_normalize(struct scaled number)
{
    int shift = __builtin_clzll(number.fraction);

    return (struct scaled){number.fraction << shift, number.exponent - shift};
}

static struct scaled scaled_multiply(struct scaled a, struct scaled b)
{
    unsigned __int128 product = (unsigned __int128)a.fraction * b.fraction;

    product += (uint64_t)1 << 63; /* round */
    return (struct scaled){(uint64_t)(product >> 64), a.exponent + b.exponent + 64};
}

/* The smallest of the powers that brings a number of this exponent to -60 or above. '*power' is k
 * of 10^k. */
static struct scaled power_for(int exponent, int *power)
{
    int power_min = ((-61 - exponent) * 78913 >> 18) + 1; /* 78913 / 2^18 is log10(2) */
    int index = (power_min - POWER_FIRST + POWER_STEP - 1) / POWER_STEP;

    ASSERT(index >= 0 && index < POWER_COUNT);
    *power = POWER_FIRST + index * POWER_STEP;
    /* 217706 / 2^16 is log2(10) */
    return (struct scaled){power_fractions[index], (*power * 217706 >> 16) - 63};
}

/* Steps the last digit down, 'unit' at a time, while that brings 'rest' (how far the digits are
 * below upper) nearer to 'target' (how far the value is) and stays within delta. */
static void round_last_digit(struct decimal *decimal, uint64_t rest, uint64_t unit, uint64_t target,
                             uint64_t delta)
{
    while (rest < target && delta - rest >= unit &&
           (rest + unit < target || target - rest > rest + unit - target)) {
        decimal->digits[decimal->count - 1]--;
        rest += unit;
    }
}

/* The digits of upper's integer part. True when they are enough. */
static bool generate_integer_digits(struct decimal *decimal, struct scaled upper, uint64_t target,
                                    uint64_t delta)
{
    int shift = -upper.exponent;
    uint32_t integer = (uint32_t)(upper.fraction >> shift);
    uint64_t fraction = upper.fraction & (((uint64_t)1 << shift) - 1);
    uint32_t unit = 1;
    int digits_left = 1;

    for (; integer / 10 >= unit; unit *= 10)
        digits_left++;
    for (; digits_left > 0; unit /= 10) {
        uint32_t digit = integer / unit;
        integer -= digit * unit;
        decimal->digits[decimal->count++] = (char)('0' + digit);
        digits_left--;
        uint64_t rest = ((uint64_t)integer << shift) + fraction;
        if (rest <= delta) {
            decimal->exponent += digits_left;
            round_last_digit(decimal, rest, (uint64_t)unit << shift, target, delta);
            return true;
        }
    }
    return false;
}

static void generate_fraction_digits(struct decimal *decimal, struct scaled upper, uint64_t target,
                                     uint64_t delta)
{
    uint64_t one = (uint64_t)1 << -upper.exponent;
    uint64_t rest = upper.fraction & (one - 1);

    do {
        ASSERT(decimal->count <= DOUBLE_DIGITS_MAX);
        rest *= 10;
        delta *= 10;
        target *= 10;
        decimal->digits[decimal->count++] = (char)('0' + (rest >> -upper.exponent));
        decimal->exponent--;
        rest &= one - 1;
    } while (rest >= delta);
    round_last_digit(decimal, rest, one, target, delta);
}

/* Grisu2. 'bits' are those of a finite double other than 0; the sign does not matter. */
static void decimal_from_bits(struct decimal *decimal, uint64_t bits)
{
    struct scaled value = scaled_from_bits(bits);
    /* halfway to both neighbours; the lower one is nearer when the value is a power of two */
    bool lower_is_near = value.fraction == DOUBLE_HIDDEN_BIT;
    struct scaled upper = {value.fraction * 2 + 1, value.exponent - 1};
    struct scaled lower = {value.fraction * (lower_is_near ? 4 : 2) - 1,
                           value.exponent - (lower_is_near ? 2 : 1)};
    int power;

    upper = scaled_normalize(upper);
    lower.fraction <<= lower.exponent - upper.exponent;
    lower.exponent = upper.exponent;
    struct scaled factor = power_for(upper.exponent, &power);
    value = scaled_multiply(scaled_normalize(value), factor);
    upper = scaled_multiply(upper, factor);
    lower = scaled_multiply(lower, factor);
    /* the products are off by at most one: stay inside */
    upper.fraction--;
    lower.fraction++;

    uint64_t target = upper.fraction - value.fraction;
    uint64_t delta = upper.fraction - lower.fraction;
    decimal->count = 0;
    decimal->exponent = -power;
    if (!generate_integer_digits(decimal, upper, target, delta))
        generate_fraction_digits(decimal, upper, target, delta);
}

/* d.ddde+dd */
static size_t decimal_write_scientific(const struct decimal *decimal, int exponent, char *out)
{
    char *at = out;

    *at++ = decimal->digits[0];
    if (decimal->count > 1) {
        *at++ = '.';
        memcpy(at, decimal->digits + 1, (size_t)decimal->count - 1);
        at += decimal->count - 1;
    }
    *at++ = 'e';
    *at++ = exponent < 0 ? '-' : '+';
    return (size_t)(at - out) + uint64_format(at, (uint64_t)abs(exponent));
}

/* Redis's choice of a form is fpconv's: it depends on the number of digits too, so that 516413.7 is
 * printed like this but 516413.70487478 as 5.1641370487478e+5. */
static size_t decimal_write(const struct decimal *decimal, char *out)
{
    int exponent = decimal->exponent + decimal->count - 1; /* of the first digit */
    int before_point = decimal->count + decimal->exponent;
    size_t count = (size_t)decimal->count;

    if (decimal->exponent >= 0 && exponent < decimal->count + 7) { /* ddd000 */
        memcpy(out, decimal->digits, count);
        memset(out + count, '0', (size_t)decimal->exponent);
        return count + (size_t)decimal->exponent;
    }
    if (decimal->exponent >= 0 || (decimal->exponent <= -7 && abs(exponent) >= 4))
        return decimal_write_scientific(decimal, exponent, out);
    if (before_point <= 0) { /* 0.00ddd */
        size_t zeros = 2 + (size_t)-before_point;
        memset(out, '0', zeros);
        out[1] = '.';
        memcpy(out + zeros, decimal->digits, count);
        return zeros + count;
    }
    memcpy(out, decimal->digits, (size_t)before_point); /* dd.ddd */
    out[before_point] = '.';
    memcpy(out + before_point + 1, decimal->digits + before_point, count - (size_t)before_point);
    return count + 1;
}

static size_t write_literal(char *out, struct bytes text)
{
    memcpy(out, text.data, text.len);
    return text.len;
}

size_t double_format(char *out, double value)
{
    if (value != 0 && fabs(value) <= (double)(INT64_MAX / 2) && (double)(int64_t)value == value)
        return int64_format(out, (int64_t)value); /* most scores */
    return double_format_shortest(out, value);
}

size_t double_format_shortest(char *out, double value)
{
    struct decimal decimal;
    uint64_t bits;

    if (isnan(value))
        return write_literal(out, BYTES("nan"));
    if (isinf(value))
        return write_literal(out, value < 0 ? BYTES("-inf") : BYTES("inf"));
    if (value == 0)
        return write_literal(out, signbit(value) ? BYTES("-0") : BYTES("0"));
    memcpy(&bits, &value, sizeof bits);
    decimal_from_bits(&decimal, bits);
    if (value > 0)
        return decimal_write(&decimal, out);
    *out = '-';
    return 1 + decimal_write(&decimal, out + 1);
}

/* ---- Reading a double ---- */

_Static_assert(FLT_EVAL_METHOD == 0, "parse_plain divides doubles as doubles");

/* What scores usually are: [-+]ddd.ddd whose digits make an exact double; so is each power of ten
 * up to 10^22, and the quotient of two exact doubles is correctly rounded (William Clinger, "How to
 * Read Floating Point Numbers Accurately", PLDI 1990). A tenth of strtod's time. */
static bool parse_plain(struct bytes text, double *value)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                    1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
    const char *at = text.data, *end = text.data + text.len, *point = NULL;
    bool is_negative = text.len > 0 && *at == '-';
    uint64_t digits = 0;

    if (text.len == 0 || text.len > 18)
        return false;
    at += *at == '-' || *at == '+';
    const char *first = at;
    size_t len = (size_t)(end - first);
    if (len > 0 && len < DIGITS_MAX && digits_parse(first, len, &digits)) { /* no point: 15 digits are below 2^53 */
        *value = is_negative ? -(double)digits : (double)digits;
        return true;
    }
    digits = 0;
    for (; at < end; at++) {
        unsigned digit = (unsigned char)*at - (unsigned)'0';
        if (digit <= 9)
            digits = digits * 10 + digit;
        else if (*at == '.' && !point)
            point = at;
        else
            return false;
    }
    if (end - first == (point ? 1 : 0) || digits > DOUBLE_HIDDEN_BIT * 2)
        return false;
    double result = (double)digits / powers[point ? end - point - 1 : 0];
    *value = is_negative ? -result : result;
    return true;
}

/* What Redis refuses of what strtod takes: a beginning, white space, NaN, and a number that is too
 * large or too near to 0. */
static bool parse_terminated(const char *text, size_t len, double *value)
{
    char *end;

    errno = 0;
    double result = strtod(text, &end);
    if ((size_t)(end - text) != len || isnan(result))
        return false;
    if (errno == ERANGE && (isinf(result) || result == 0))
        return false;
    *value = result;
    return true;
}

static bool starts_with_space(struct bytes text)
{
    return text.data[0] == ' ' || (text.data[0] >= '\t' && text.data[0] <= '\r');
}

bool double_parse(struct bytes text, double *value)
{
    char local[256];

    if (parse_plain(text, value))
        return true;
    if (text.len == 0 || starts_with_space(text))
        return false;
    char *copy = text.len < sizeof local ? local : mem_alloc(text.len + 1);
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    bool is_number = parse_terminated(copy, text.len, value);
    if (copy != local)
        mem_free(copy, text.len + 1);
    return is_number;
}
