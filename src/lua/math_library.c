/* The math library, but for random numbers. */
#include "lua/library.h"

#include "base/elementary.h"

#define PI 3.14159265358979323846

static bool of_one(struct lua_call *call, double (*function)(double))
{
    double number;

    if (!lua_arg_number(call, 0, &number))
        return false;
    lua_return(call, lua_number(function(number)));
    return true;
}

static bool of_two(struct lua_call *call, double (*function)(double, double))
{
    double a, b;

    if (!lua_arg_number(call, 0, &a) || !lua_arg_number(call, 1, &b))
        return false;
    lua_return(call, lua_number(function(a, b)));
    return true;
}

static double size_of(double number) { return __builtin_fabs(number); }
static double floor_of(double number) { return double_floor(number); }
static double ceil_of(double number) { return double_ceil(number); }
static double root_of(double number) { return double_sqrt(number); }
static double degrees(double radians) { return radians / (PI / 180); }
static double radians(double degrees) { return degrees * (PI / 180); }

static bool math_abs(struct lua_call *call) { return of_one(call, size_of); }
static bool math_acos(struct lua_call *call) { return of_one(call, double_acos); }
static bool math_asin(struct lua_call *call) { return of_one(call, double_asin); }
static bool math_atan(struct lua_call *call) { return of_one(call, double_atan); }
static bool math_atan2(struct lua_call *call) { return of_two(call, double_atan2); }
static bool math_ceil(struct lua_call *call) { return of_one(call, ceil_of); }
static bool math_cos(struct lua_call *call) { return of_one(call, double_cos); }
static bool math_cosh(struct lua_call *call) { return of_one(call, double_cosh); }
static bool math_deg(struct lua_call *call) { return of_one(call, degrees); }
static bool math_exp(struct lua_call *call) { return of_one(call, double_exp); }
static bool math_floor(struct lua_call *call) { return of_one(call, floor_of); }
static bool math_fmod(struct lua_call *call) { return of_two(call, double_fmod); }
static bool math_log(struct lua_call *call) { return of_one(call, double_log); }
static bool math_log10(struct lua_call *call) { return of_one(call, double_log10); }
static bool math_pow(struct lua_call *call) { return of_two(call, double_pow); }
static bool math_rad(struct lua_call *call) { return of_one(call, radians); }
static bool math_sin(struct lua_call *call) { return of_one(call, double_sin); }
static bool math_sinh(struct lua_call *call) { return of_one(call, double_sinh); }
static bool math_sqrt(struct lua_call *call) { return of_one(call, root_of); }
static bool math_tan(struct lua_call *call) { return of_one(call, double_tan); }
static bool math_tanh(struct lua_call *call) { return of_one(call, double_tanh); }

static bool math_frexp(struct lua_call *call)
{
    double number;
    int exponent;

    if (!lua_arg_number(call, 0, &number))
        return false;
    lua_return(call, lua_number(double_frexp(number, &exponent)));
    lua_return(call, lua_number(exponent));
    return true;
}

static bool math_ldexp(struct lua_call *call)
{
    double number;
    int32_t exponent;

    if (!lua_arg_number(call, 0, &number) || !lua_arg_int32(call, 1, &exponent))
        return false;
    lua_return(call, lua_number(double_ldexp(number, exponent)));
    return true;
}

static bool math_modf(struct lua_call *call)
{
    double number, whole, fraction;

    if (!lua_arg_number(call, 0, &number))
        return false;
    fraction = double_modf(number, &whole);
    lua_return(call, lua_number(whole));
    lua_return(call, lua_number(fraction));
    return true;
}

/* The least, or the greatest with sign -1. What is no number is never less. */
static bool extreme(struct lua_call *call, int sign)
{
    double best, number;

    if (!lua_arg_number(call, 0, &best))
        return false;
    for (int i = 1; i < call->argc; i++) {
        if (!lua_arg_number(call, i, &number))
            return false;
        if (sign * number < sign * best)
            best = number;
    }
    lua_return(call, lua_number(best));
    return true;
}

static bool math_max(struct lua_call *call) { return extreme(call, -1); }
static bool math_min(struct lua_call *call) { return extreme(call, 1); }

static const struct lua_row functions[] = {
    {"abs", math_abs},     {"acos", math_acos}, {"asin", math_asin},   {"atan", math_atan},   {"atan2", math_atan2},
    {"ceil", math_ceil},   {"cos", math_cos},   {"cosh", math_cosh},   {"deg", math_deg},     {"exp", math_exp},
    {"floor", math_floor}, {"fmod", math_fmod}, {"frexp", math_frexp}, {"ldexp", math_ldexp}, {"log", math_log},
    {"log10", math_log10}, {"max", math_max},   {"min", math_min},     {"mod", math_fmod},    {"modf", math_modf},
    {"pow", math_pow},     {"rad", math_rad},   {"sin", math_sin},     {"sinh", math_sinh},   {"sqrt", math_sqrt},
    {"tan", math_tan},     {"tanh", math_tanh}, {NULL, NULL},
};

void lua_open_math(struct lua *lua)
{
    struct lua_table *math = lua_open_library(lua, "math", functions);

    lua_table_set_text(lua, math, "pi", lua_number(PI));
    lua_table_set_text(lua, math, "huge", lua_number(__builtin_inf()));
}
