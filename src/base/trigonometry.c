/* Power series in long double. */
#include "base/trigonometry.h"

#define PI 3.14159265358979323846264338327950288L

#define SINE_TERMS 14 /* up to pi/2 what is left out is below 2^-70 */

/* x - x^3/3! + x^5/5! ..., from the smallest term on. */
static long double sine_series(long double x)
{
    long double sum = 1, square = x * x;

    for (int i = SINE_TERMS; i > 0; i--)
        sum = 1 - square / (long double)(2 * i * (2 * i + 1)) * sum;
    return x * sum;
}

static long double sine_of(long double x)
{
    if (x > PI / 2)
        return sine_series(PI - x);
    return x < -PI / 2 ? sine_series(-PI - x) : sine_series(x);
}

double sine(double radians) { return (double)sine_of(radians); }

double cosine(double radians)
{
    long double x = radians < 0 ? -(long double)radians : radians;

    return (double)sine_of(PI / 2 - x);
}

#define ARC_TERMS 34 /* up to 1/2 the terms shrink by four each time */

/* x + 1/2 x^3/3 + 1*3/(2*4) x^5/5 ...: each factor is the one before times (2n-1)^2 / (2n (2n+1)). */
static long double arc_series(long double x)
{
    long double sum = 1, square = x * x;

    for (int n = ARC_TERMS; n > 0; n--)
        sum = 1 + square * (long double)((2 * n - 1) * (2 * n - 1)) /
                      (long double)(2 * n * (2 * n + 1)) * sum;
    return x * sum;
}

double arc_sine(double value)
{
    if (value <= 0.5)
        return (double)arc_series(value);
    return (double)(PI / 2 - 2 * arc_series(__builtin_sqrtl((1 - (long double)value) / 2)));
}
