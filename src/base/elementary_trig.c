/* Sine and its kin, in long double.
 *
 * An angle of any size is first taken modulo pi/2: its mantissa is an integer m, the angle is m *
 * 2^e, and of m * 2^e * 2/pi only two bits before the point matter. The digits of 2/pi that can
 * reach there are a window of the table below, and the product is integer arithmetic (Payne and
 * Hanek). */
#include "base/elementary.h"

#define PI     0x1.921fb54442d1846ap+1L
#define PI_LOW -0x1.d9cceba3f91f1976p-65L

/* The fraction of 2/pi, 64 bits each, after one word of zeros for the angles below one. */
static const uint64_t two_over_pi[] = {
    0x0000000000000000u, 0xa2f9836e4e441529u, 0xfc2757d1f534ddc0u, 0xdb6295993c439041u,
    0xfe5163abdebbc561u, 0xb7246e3a424dd2e0u, 0x06492eea09d1921cu, 0xfe1deb1cb129a73eu,
    0xe88235f52ebb4484u, 0xe99c7026b45f7e41u, 0x3991d639835339f4u, 0x9c845f8bbdf9283bu,
    0x1ff897ffde05980fu, 0xef2f118b5a0a6d1fu, 0x6d367ecf27cb09b7u, 0x4f463f669e5fea2du,
    0x7527bac7ebe5f17bu, 0x3d0739f78a5292eau, 0x6bfb5fb11f8d5d08u, 0x56033046fc7b6babu,
    0xf0cfbc209af4361du};

enum { WINDOW = 4 }; /* words of the product; the first two bits are the quadrant */

static void window_of_two_over_pi(unsigned from, uint64_t *window)
{
    const uint64_t *word = two_over_pi + from / 64;
    unsigned shift = from % 64;

    for (int i = 0; i < WINDOW; i++)
        window[i] = shift ? word[i] << shift | word[i + 1] >> (64 - shift) : word[i];
}

static void multiply(uint64_t *words, uint64_t by)
{
    uint64_t carry = 0;

    for (int i = WINDOW - 1; i >= 0; i--) {
        __extension__ unsigned __int128 product = (unsigned __int128)words[i] * by + carry;

        words[i] = (uint64_t)product;
        carry = (uint64_t)(product >> 64);
    }
}

/* words[0] to words[2] as a fraction of 2^62, which is a quarter turn */
static long double fraction_of(const uint64_t *words)
{
    return ((long double)words[2] * 0x1p-64L + (long double)words[1]) * 0x1p-126L +
           (long double)words[0] * 0x1p-62L;
}

/* |x| = quadrant * pi/2 + what is returned, which is from -pi/4 to pi/4. */
static long double reduce(double size, unsigned *quadrant)
{
    int exponent;
    uint64_t mantissa, words[WINDOW];

    *quadrant = 0;
    if (size < 0.785)
        return size;
    mantissa = (uint64_t)(double_frexp(size, &exponent) * 0x1p53);
    exponent -= 53;
    window_of_two_over_pi((unsigned)(exponent - 1 + 63), words);
    multiply(words, mantissa);
    *quadrant = (unsigned)(words[0] >> 62);
    words[0] &= ~UINT64_C(0) >> 2;
    if (words[0] >> 61) { /* nearer to the next one */
        *quadrant = (*quadrant + 1) & 3;
        words[0] = (UINT64_C(1) << 62) - 1 - words[0];
        words[1] = ~words[1];
        words[2] = ~words[2];
        return -fraction_of(words) * (PI / 2);
    }
    return fraction_of(words) * (PI / 2);
}

static long double sin_series(long double x)
{
    static const long double parts[] = {-1 / 6.0L,
                                        1 / 120.0L,
                                        -1 / 5040.0L,
                                        1 / 362880.0L,
                                        -1 / 39916800.0L,
                                        1 / 6227020800.0L,
                                        -1 / 1307674368000.0L,
                                        1 / 355687428096000.0L,
                                        -1 / 121645100408832000.0L,
                                        1 / 51090942171709440000.0L};
    long double square = x * x, sum = 0;

    for (int i = (int)(sizeof parts / sizeof *parts) - 1; i >= 0; i--)
        sum = sum * square + parts[i];
    return x + sum * square * x;
}

static long double cos_series(long double x)
{
    static const long double parts[] = {-1 / 2.0L,
                                        1 / 24.0L,
                                        -1 / 720.0L,
                                        1 / 40320.0L,
                                        -1 / 3628800.0L,
                                        1 / 479001600.0L,
                                        -1 / 87178291200.0L,
                                        1 / 20922789888000.0L,
                                        -1 / 6402373705728000.0L,
                                        1 / 2432902008176640000.0L,
                                        -1 / 1124000727777607680000.0L};
    long double square = x * x, sum = 0;

    for (int i = (int)(sizeof parts / sizeof *parts) - 1; i >= 0; i--)
        sum = sum * square + parts[i];
    return 1 + sum * square;
}

/* The sine of quadrant * pi/2 + x. */
static long double sin_in_quadrant(unsigned quadrant, long double x)
{
    long double value = quadrant & 1 ? cos_series(x) : sin_series(x);

    return quadrant & 2 ? -value : value;
}

static double no_angle(double radians) { return radians != radians ? radians : -__builtin_nan(""); }

double double_sin(double radians)
{
    double size = __builtin_fabs(radians);
    unsigned quadrant;
    long double x;

    if (!(size < __builtin_inf()))
        return no_angle(radians);
    if (size < 0x1p-28)
        return radians; /* and zero keeps its sign */
    x = reduce(size, &quadrant);
    x = sin_in_quadrant(quadrant, x);
    return (double)(radians < 0 ? -x : x);
}

double double_cos(double radians)
{
    double size = __builtin_fabs(radians);
    unsigned quadrant;
    long double x;

    if (!(size < __builtin_inf()))
        return no_angle(radians);
    x = reduce(size, &quadrant);
    return (double)sin_in_quadrant(quadrant + 1, x);
}

double double_tan(double radians)
{
    double size = __builtin_fabs(radians);
    unsigned quadrant;
    long double x, tangent;

    if (!(size < __builtin_inf()))
        return no_angle(radians);
    if (size < 0x1p-28)
        return radians;
    x = reduce(size, &quadrant);
    tangent = sin_series(x) / cos_series(x);
    if (quadrant & 1)
        tangent = -1 / tangent;
    return (double)(radians < 0 ? -tangent : tangent);
}

/* The arc tangent of k / 16 */
static const long double arc_steps[] = {
    0.0L,
    0x1.ff55bb72cfde9c6ep-5L,
    0x1.fd5ba9aac2f6dc66p-4L,
    0x1.7b97b4bce5b02268p-3L,
    0x1.f5b75f92c80dd62ap-3L,
    0x1.362773707ebcbcd4p-2L,
    0x1.6f61941e4def08e8p-2L,
    0x1.a64eec3cc23fcb6cp-2L,
    0x1.dac670561bb4f68ap-2L,
    0x1.0657e94db30cfc54p-1L,
    0x1.1e00babdefeb3f36p-1L,
    0x1.345f01cce37bb44p-1L,
    0x1.4978fa3269ee1248p-1L,
    0x1.5d58987169b181p-1L,
    0x1.700a7c5784633ce8p-1L,
    0x1.819d0b7158a4cc82p-1L,
    0x1.921fb54442d1846ap-1L,
};

/* x - x^3/3 + x^5/5 ... for |x| <= 1/32 */
static long double arc_series(long double x)
{
    static const long double parts[] = {-1 / 3.0L, 1 / 5.0L,   -1 / 7.0L,
                                        1 / 9.0L,  -1 / 11.0L, 1 / 13.0L};
    long double square = x * x, sum = 0;

    for (int i = (int)(sizeof parts / sizeof *parts) - 1; i >= 0; i--)
        sum = sum * square + parts[i];
    return x + sum * square * x;
}

/* The angle of the point (x, y); neither is negative, they are not both zero or infinite. */
static long double angle_of(long double x, long double y)
{
    long double ratio = y <= x ? y / x : x / y, step, angle;
    int k = (int)(ratio * 16 + 0.5L);

    step = k / 16.0L;
    angle = arc_steps[k] + arc_series((ratio - step) / (1 + ratio * step));
    return y <= x ? angle : PI / 2 - angle;
}

/* Of a number from 0 to 1: the instruction's answer and one step of Newton's. */
static long double root_of(long double value)
{
    long double root = __builtin_sqrt((double)value);

    return value == 0 ? 0 : (root + value / root) / 2;
}

/* The other side of a right triangle whose long one is 1. */
static long double other_side(double value)
{
    return root_of((1 - (long double)value) * (1 + (long double)value));
}

/* The C library's NaN is positive here. */
static double no_side(double value) { return value != value ? value : __builtin_nan(""); }

double double_asin(double value)
{
    double size = __builtin_fabs(value);

    if (!(size <= 1))
        return no_side(value);
    if (size < 0x1p-28)
        return value;
    return __builtin_copysign((double)angle_of(other_side(size), size), value);
}

double double_acos(double value)
{
    double size = __builtin_fabs(value);
    long double angle;

    if (!(size <= 1))
        return no_side(value);
    angle = angle_of(size, other_side(size));
    return (double)(value < 0 ? PI - angle : angle);
}

double double_atan(double value)
{
    double size = __builtin_fabs(value);

    if (value != value || size < 0x1p-28)
        return value;
    if (size > 0x1p70)
        return __builtin_copysign((double)(PI / 2), value);
    return __builtin_copysign((double)angle_of(1, size), value);
}

double double_atan2(double y, double x)
{
    double height = __builtin_fabs(y), width = __builtin_fabs(x);
    bool is_left = __builtin_signbit(x);
    long double angle;

    if (x != x || y != y)
        return x + y;
    if (height == 0 || (width == __builtin_inf() && height != width))
        angle = 0;
    else if (height == width) /* infinite perhaps */
        angle = PI / 4;
    else
        angle = height == __builtin_inf() ? PI / 2 : angle_of(width, height);
    return __builtin_copysign((double)(is_left ? PI - angle : angle), y);
}
