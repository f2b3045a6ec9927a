/* The elementary functions of a double, so that nothing but the C library proper has to be linked.
 *
 * Special values are those of C's Annex F: signed zeros, infinities, NaN for what has no value
 * (with the sign that it has in the C library: "-nan" shows). floor to ldexp are exact; the others
 * are computed in long double, so that the result is nearly always the double nearest to the true
 * value and never more than one last digit from it. */
#ifndef TERN_BASE_ELEMENTARY_H
#define TERN_BASE_ELEMENTARY_H

#include <stdbool.h>
#include <stdint.h>

/* From here on a double has no fraction. */
#define DOUBLE_WHOLE 0x1p52

/* Towards zero, for |value| < DOUBLE_WHOLE. */
static inline double double_cut(double value)
{
    return __builtin_copysign((double)(int64_t)value, value);
}

static inline double double_floor(double value)
{
    double whole;

    if (!(__builtin_fabs(value) < DOUBLE_WHOLE))
        return value;
    whole = double_cut(value);
    return whole > value ? whole - 1 : whole;
}

static inline double double_ceil(double value)
{
    double whole;

    if (!(__builtin_fabs(value) < DOUBLE_WHOLE))
        return value;
    whole = double_cut(value);
    return whole < value ? __builtin_copysign(whole + 1, value) : whole;
}

static inline double double_sqrt(double value)
{
    return __builtin_sqrt(value); /* an instruction */
}

/* What is left of 'value' after taking 'divisor' away as often as it goes; the sign is that of
 * 'value'. */
double double_fmod(double value, double divisor);
/* value = fraction * 2^exponent with a fraction from 1/2 to 1; zero, infinity and NaN are their
 * own, exponent 0. */
double double_frexp(double value, int *exponent);
double double_ldexp(double value, int exponent);
/* The fraction is returned; both have the sign of 'value'. */
double double_modf(double value, double *whole);

double double_exp(double value);
double double_log(double value);
double double_log10(double value);
double double_pow(double base, double exponent);
double double_sinh(double value);
double double_cosh(double value);
double double_tanh(double value);

double double_sin(double radians);
double double_cos(double radians);
double double_tan(double radians);
double double_asin(double value);
double double_acos(double value);
double double_atan(double value);
double double_atan2(double y, double x);

#endif
