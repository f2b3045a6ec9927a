/* Exponential and logarithm.
 *
 * A logarithm is the sum of two long doubles, about 76 good bits: a power multiplies it by up to
 * 2^11 and still rounds rightly. Constants were computed with 460 decimal digits. */
#include "base/elementary.h"

#include <string.h>

/* high + low, low being less than half the last digit of high */
struct pair {
    long double high, low;
};

#define LN2_HIGH 0x1.62e42fefa39fp-1L /* 50 bits: times an exponent is exact */
#define LN2_LOW  -0x1.950d871319ff0342p-54L

/* ln(32 / k), from k = 23 on */
#define LOG_FIRST 23
static const struct pair log_steps[] = {
    {0x1.522ae0738a3d7ce2p-2L, -0x1.fa6ce29a5e5777dcp-67L},
    {0x1.269621134db92784p-2L, -0x1.0522624fd558f574p-68L},
    {0x1.f991c6cb3b3797dap-3L, -0x1.af99067f5e724f8ap-69L},
    {0x1.a93ed3c8ad9e36f2p-3L, 0x1.7d4ef4b901b99b9ep-68L},
    {0x1.5bf406b543db1fb8p-3L, 0x1.49767e410316d2c2p-70L},
    {0x1.1178e8227e47bde4p-3L, -0x1.8e97c071a42fc388p-68L},
    {0x1.9335e5d594988ae2p-4L, -0x1.50ae09996d7bb466p-71L},
    {0x1.08598b59e3a0688ap-4L, 0x1.fecdfa819b96097ep-71L},
    {0x1.0415d89e74444702p-5L, -0x1.18714564eeec43e4p-70L},
    {0.0L, 0.0L},
    {-0x1.f829b0e7833004dp-6L, 0x1.c0fb0e10dd605152p-72L},
    {-0x1.f0a30c01162a6618p-5L, 0x1.9b47488a6687672cp-72L},
    {-0x1.6f0d28ae56b4b9bep-4L, -0x1.266e7b466d903394p-70L},
    {-0x1.e27076e2af2e5e9ep-4L, -0x1.50fffc3fd3c2abb8p-69L},
    {-0x1.29552f81ff5234cp-3L, -0x1.771c407dbe9a214p-69L},
    {-0x1.5ff3070a793d3c88p-3L, 0x1.83bebf1bdb88a032p-68L},
    {-0x1.9525a9cf456b4764p-3L, -0x1.307538b89676265p-71L},
    {-0x1.c8ff7c79a9a21ac2p-3L, -0x1.7607bcbfee6892b8p-69L},
    {-0x1.fb9186d5e3e2a8d6p-3L, 0x1.5732790d65a6bedcp-68L},
    {-0x1.1675cababa60e03ap-2L, 0x1.9c15477c8e8fb82p-69L},
    {-0x1.2e8e2bae11d309c2p-2L, -0x1.992350a103679bdcp-67L},
    {-0x1.4618bc21c5ec27dp-2L, -0x1.6f66f6678e6882bcp-67L},
    {-0x1.5d1bdbf5809ca508p-2L, -0x1.b1c1ee3ff08acf9cp-67L},
};

static const struct pair log10_of_e = {0x1.bcb7b1526e50e32ap-2L, 0x1.aadd557d699ee192p-68L};

static struct pair pair_sum(long double a, long double b)
{
    long double sum = a + b, part = sum - a;

    return (struct pair){sum, (a - (sum - part)) + (b - part)};
}

/* Two halves of 32 bits (Veltkamp). */
static struct pair halves(long double value)
{
    long double big = value * (0x1p32L + 1), high = big - (big - value);

    return (struct pair){high, value - high};
}

/* Exact (Dekker). */
static struct pair pair_product(long double a, long double b)
{
    struct pair x = halves(a), y = halves(b);
    long double product = a * b;

    return (struct pair){product, ((x.high * y.high - product) + x.high * y.low + x.low * y.high) +
                                      x.low * y.low};
}

static struct pair pair_multiply(struct pair a, struct pair b)
{
    struct pair product = pair_product(a.high, b.high);

    product.low += a.high * b.low + a.low * b.high;
    return product;
}

/* Of a positive finite number: x = 2^n m, and m k / 32 = 1 + r is near one for a k of six bits, so
 * r is exact. */
static struct pair log_of(double value)
{
    static const long double parts[] = {1 / 3.0L,  -1 / 4.0L,  1 / 5.0L,   -1 / 6.0L, 1 / 7.0L,
                                        -1 / 8.0L, 1 / 9.0L,   -1 / 10.0L, 1 / 11.0L, -1 / 12.0L,
                                        1 / 13.0L, -1 / 14.0L, 1 / 15.0L};
    int exponent, k;
    double mantissa = double_frexp(value, &exponent);
    long double r, rest = 0;
    struct pair square, sum, step;

    if (mantissa < 0.70710678118654752) {
        mantissa *= 2;
        exponent--;
    }
    k = (int)(32 / mantissa + 0.5);
    r = (long double)mantissa * k / 32 - 1;
    for (int i = (int)(sizeof parts / sizeof *parts) - 1; i >= 0; i--)
        rest = rest * r + parts[i];
    square = pair_product(r, r);
    rest = rest * square.high * r - square.low / 2;
    sum = pair_sum(r, -square.high / 2);
    rest += sum.low;
    step = log_steps[k - LOG_FIRST];
    if (k != 32 || exponent) {
        struct pair base = pair_sum(exponent * LN2_HIGH, step.high);
        struct pair all = pair_sum(base.high, sum.high);

        rest += exponent * LN2_LOW + (step.low + base.low + all.low);
        sum.high = all.high;
    }
    return pair_sum(sum.high, rest);
}

/* 2^n of a normal double. */
static double power_of_two(int n)
{
    uint64_t bits = (uint64_t)(n + 1023) << 52;
    double power;

    memcpy(&power, &bits, sizeof power);
    return power;
}

#define LN2_16_HIGH 0x1.62e42fefa39ep-5L /* ln 2 / 16, 48 bits: times a step is exact */
#define LN2_16_LOW  0x1.e6af278ece600fccp-54L

/* 2^(k / 16) */
static const long double power_steps[] = {
    0x1.p+0L,
    0x1.0b5586cf9890f62ap+0L,
    0x1.172b83c7d517adcep+0L,
    0x1.2387a6e75623866cp+0L,
    0x1.306fe0a31b7152dep+0L,
    0x1.3dea64c12342235cp+0L,
    0x1.4bfdad5362a271d4p+0L,
    0x1.5ab07dd48542958cp+0L,
    0x1.6a09e667f3bcc908p+0L,
    0x1.7a11473eb0186d7ep+0L,
    0x1.8ace5422aa0db5bap+0L,
    0x1.9c49182a3f0901c8p+0L,
    0x1.ae89f995ad3ad5e8p+0L,
    0x1.c199bdd85529c222p+0L,
    0x1.d5818dcfba48725ep+0L,
    0x1.ea4afa2a490d9858p+0L,
};

/* e^(high + low) for |high| < 1400: x = n ln 2 + k ln 2 / 16 + r, and the power series of r. */
static long double exp_of(long double high, long double low)
{
    static const long double parts[] = {1,           1 / 2.0L,     1 / 6.0L,
                                        1 / 24.0L,   1 / 120.0L,   1 / 720.0L,
                                        1 / 5040.0L, 1 / 40320.0L, 1 / 362880.0L};
    long double scaled = high * (16 * 1.44269504088896340736L), r, sum = 0;
    int step = (int)(scaled + (scaled < 0 ? -0.5L : 0.5L)), n = (step - (step & 15)) / 16;

    r = (high - step * LN2_16_HIGH) - (step * LN2_16_LOW - low);
    for (int i = (int)(sizeof parts / sizeof *parts) - 1; i >= 0; i--)
        sum = sum * r + parts[i];
    sum = power_steps[step & 15] + power_steps[step & 15] * (sum * r);
    return sum * power_of_two(n / 2) * power_of_two(n - n / 2);
}

/* Beyond these a double is infinite, or zero. */
#define EXP_MAX 720
#define EXP_MIN -760

double double_exp(double value)
{
    if (value != value)
        return value + value;
    if (value > EXP_MAX)
        return __builtin_inf();
    return value < EXP_MIN ? 0 : (double)exp_of(value, 0);
}

/* What has no logarithm but a value; 'none' is that of negative numbers. */
static bool is_odd_for_log(double value, double none, double *result)
{
    if (value > 0 && value < __builtin_inf())
        return false;
    if (value != value || value > 0)
        *result = value + value;
    else
        *result = value == 0 ? -__builtin_inf() : none;
    return true;
}

double double_log(double value)
{
    double result;
    struct pair log;

    if (is_odd_for_log(value, -__builtin_nan(""), &result))
        return result;
    log = log_of(value);
    return (double)(log.high + log.low);
}

double double_log10(double value)
{
    double result;
    struct pair log;

    if (is_odd_for_log(value, __builtin_nan(""), &result))
        return result;
    log = pair_multiply(log_of(value), log10_of_e);
    return (double)(log.high + log.low);
}

static bool is_whole(double value)
{
    return !(__builtin_fabs(value) < DOUBLE_WHOLE) || double_cut(value) == value;
}

static bool is_odd_whole(double value)
{
    if (!(__builtin_fabs(value) < 0x1p53) || !is_whole(value))
        return false;
    return (int64_t)value & 1;
}

/* Where one side is zero or infinite. */
static double pow_at_the_edge(double base, double exponent)
{
    double size = __builtin_fabs(base);

    if (__builtin_isinf(exponent)) {
        if (size == 1)
            return 1;
        return (size > 1) == (exponent > 0) ? __builtin_inf() : 0;
    }
    size = (size == 0) == (exponent > 0) ? 0 : __builtin_inf();
    return is_odd_whole(exponent) ? __builtin_copysign(size, base) : size;
}

double double_pow(double base, double exponent)
{
    struct pair log, product;
    long double result;

    if (exponent == 0 || base == 1)
        return 1;
    if (exponent != exponent)
        return base + exponent;
    if (base != base)
        return __builtin_signbit(base) && is_odd_whole(exponent) ? -base : base;
    if (base == 0 || __builtin_isinf(base) || __builtin_isinf(exponent))
        return pow_at_the_edge(base, exponent);
    if (exponent == 1)
        return base;
    if (exponent == 2)
        return base * base;
    if (base < 0 && !is_whole(exponent))
        return -__builtin_nan("");
    log = log_of(__builtin_fabs(base));
    product = pair_product(log.high, exponent);
    product.low += log.low * exponent;
    if (product.high > EXP_MAX)
        result = __builtin_inf();
    else
        result = product.high < EXP_MIN ? 0 : exp_of(product.high, product.low);
    return (double)(base < 0 && is_odd_whole(exponent) ? -result : result);
}

/* x + x^3/3! + x^5/5! ... for |x| < 1/2. */
static long double sinh_series(long double x)
{
    static const long double parts[] = {
        1 / 6.0L,        1 / 120.0L,        1 / 5040.0L,         1 / 362880.0L,
        1 / 39916800.0L, 1 / 6227020800.0L, 1 / 1307674368000.0L};
    long double square = x * x, sum = 0;

    for (int i = (int)(sizeof parts / sizeof *parts) - 1; i >= 0; i--)
        sum = sum * square + parts[i];
    return x + sum * square * x;
}

static long double clamp(double value)
{
    double size = __builtin_fabs(value);

    return __builtin_copysign(size < 800 ? size : 800, value);
}

static long double sinh_of(long double x)
{
    long double power;

    if (x > -0.5L && x < 0.5L)
        return sinh_series(x);
    power = exp_of(x, 0);
    return (power - 1 / power) / 2;
}

static long double cosh_of(long double x)
{
    long double power = exp_of(x, 0);

    return (power + 1 / power) / 2;
}

double double_sinh(double value)
{
    return value != value || value == 0 ? value : (double)sinh_of(clamp(value));
}

double double_cosh(double value) { return value != value ? value : (double)cosh_of(clamp(value)); }

double double_tanh(double value)
{
    if (value != value || value == 0)
        return value;
    return (double)(sinh_of(clamp(value)) / cosh_of(clamp(value)));
}
