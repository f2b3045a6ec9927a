/* Remainders and the parts of a double: integer work on its bits, all exact. */
#include "base/elementary.h"

#include <string.h>

#define MANTISSA_BITS 52
#define EXPONENT_MAX  0x7ff
#define MANTISSA_MASK ((UINT64_C(1) << MANTISSA_BITS) - 1)
#define SIGN          (UINT64_C(1) << 63)
#define EXPONENT_HALF 1022 /* of the numbers from 1/2 to 1 */

static uint64_t bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double from_bits(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static int exponent_of(uint64_t bits) { return (int)(bits >> MANTISSA_BITS & EXPONENT_MAX); }

/* |value| = mantissa * 2^exponent; denormals have the exponent of the least normal numbers. */
static uint64_t mantissa_of(uint64_t bits, int *exponent)
{
    int stored = exponent_of(bits);

    *exponent = (stored ? stored : 1) - EXPONENT_HALF - 1 - MANTISSA_BITS;
    return (bits & MANTISSA_MASK) | (stored ? UINT64_C(1) << MANTISSA_BITS : 0);
}

/* mantissa * 2^exponent, which is less than a double and so exact. */
static double assemble(uint64_t mantissa, int exponent, uint64_t sign)
{
    return from_bits(bits_of(double_ldexp((double)mantissa, exponent)) | sign);
}

double double_fmod(double value, double divisor)
{
    int exponent, divisor_exponent, left;
    uint64_t rest, by;

    if (!(__builtin_fabs(value) < __builtin_inf()) || divisor == 0 || divisor != divisor)
        return value != value || divisor != divisor ? value + divisor : -__builtin_nan("");
    if (__builtin_fabs(value) < __builtin_fabs(divisor))
        return value;
    rest = mantissa_of(bits_of(value), &exponent);
    by = mantissa_of(bits_of(divisor), &divisor_exponent);
    left = exponent - divisor_exponent;
    rest %= by;
    while (left > 0) { /* rest < 2^53: eleven bits fit above it */
        int step = left < 11 ? left : 11;

        rest = (rest << step) % by;
        left -= step;
    }
    return assemble(rest, divisor_exponent, bits_of(value) & SIGN);
}

double double_frexp(double value, int *exponent)
{
    uint64_t bits = bits_of(value);
    int below = 0;

    *exponent = 0;
    if (value == 0 || exponent_of(bits) == EXPONENT_MAX)
        return value == 0 ? value : value + value;
    if (exponent_of(bits) == 0) {
        below = 54;
        bits = bits_of(value * 0x1p54);
    }
    *exponent = exponent_of(bits) - EXPONENT_HALF - below;
    return from_bits((bits & ~((uint64_t)EXPONENT_MAX << MANTISSA_BITS)) | (uint64_t)EXPONENT_HALF
                                                                               << MANTISSA_BITS);
}

double double_ldexp(double value, int exponent)
{
    int own;
    double fraction = double_frexp(value, &own);

    if (value == 0 || fraction == 0 || !(__builtin_fabs(value) < __builtin_inf()))
        return fraction;
    exponent = exponent > 5000 ? 5000 : exponent < -5000 ? -5000 : exponent;
    own += exponent;
    if (own > 1024)
        return fraction * 0x1p1023 * 4; /* beyond the largest: infinity */
    if (own > 1023)
        return fraction * 2 * 0x1p1023;
    if (own >= -1021)
        return fraction * from_bits((uint64_t)(own + EXPONENT_HALF + 1) << MANTISSA_BITS);
    if (own < -1080)
        return fraction * 0x1p-1022 * 0x1p-1022;
    /* Rounds once: the first step ends among the normal numbers. */
    return fraction * 0x1p-1021 *
           from_bits((uint64_t)(own + 1021 + EXPONENT_HALF + 1) << MANTISSA_BITS);
}

double double_modf(double value, double *whole)
{
    if (__builtin_fabs(value) < DOUBLE_WHOLE) {
        *whole = double_cut(value);
        return __builtin_copysign(value - *whole, value);
    }
    *whole = value;
    return value != value ? value : __builtin_copysign(0, value);
}
