/* The programs of programs.txt give what is written there: the language, its libraries and the texts of errors. */
#include "unit.h"

#include "lua/libraries.h"
#include "lua/lua.h"

#ifdef TERN_STRESS
enum { SKIPS_SLOW = true };
#else
enum { SKIPS_SLOW = false };
#endif
enum { TEXT_MAX = 1 << 20, PROGRAM_MAX = 4096 };

static const char WRAPPER[] =
    "local program = ... local f, e = loadstring(program, '@user_script') if not f then return 'syntax: ' .. e end\n"
    "local function text(v)\n"
    "    local kind, mt = type(v), getmetatable(v)\n"
    "    if kind == 'string' or type(mt) == 'table' and mt.__tostring then return tostring(v) end\n"
    "    return (kind == 'table' or kind == 'function' or kind == 'thread') and kind or tostring(v)\n"
    "end\n"
    "local function show(...)\n"
    "    local s = ''\n"
    "    for i = 1, select('#', ...) do s = s .. (i > 1 and ' | ' or '') .. text((select(i, ...))) end\n"
    "    return s\n"
    "end\n"
    "return show(pcall(f))\n";

static void check_program(const char *program, const char *expected)
{
    struct lua *lua = lua_new();
    struct lua_value wrapper, text;
    uint64_t random = 0;

    lua_open_base(lua);
    lua_open_string(lua);
    lua_open_table(lua);
    lua_open_math(lua);
    lua_open_random(lua, &random);
    lua_open_os(lua);
    lua_open_bit(lua);
    assert_true(lua_load(lua, bytes_from_string(WRAPPER), BYTES("@wrapper"), lua_globals(lua), &wrapper));
    text = lua_text(lua, program);
    if (lua_call(lua, wrapper, &text, 1) != 1)
        fail_msg("%s\nfailed: %s", program, lua_string_bytes(lua_error_value(lua)).data);
    if (!bytes_equal(lua_string_bytes(lua_result(lua, 0)), bytes_from_string(expected)))
        fail_msg("%s\ngave     %s\nand not  %s", program, lua_string_bytes(lua_result(lua, 0)).data, expected);
    lua_free(lua);
}

/* The file beside this one. */
static char *read_programs(void)
{
    char path[256] = __FILE__, *data = calloc(1, TEXT_MAX);
    char *name = strrchr(path, '/');
    FILE *file;

    snprintf(name, sizeof path - (size_t)(name - path), "/programs.txt");
    file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(data, 1, TEXT_MAX - 1, file);
    assert_in_range(len, 1, TEXT_MAX - 2);
    fclose(file);
    return data;
}

static void add_line(char *text, const char *line)
{
    size_t len = strlen(text);

    assert_true(len + strlen(line) + 2 < PROGRAM_MAX);
    snprintf(text + len, PROGRAM_MAX - len, "%s%s", len ? "\n" : "", line);
}

static void programs_give_what_the_servers_give(void **state)
{
    char program[PROGRAM_MAX] = "", expected[PROGRAM_MAX] = "";
    char *data = read_programs();
    bool is_slow = false;
    int count = 0;

    for (char *line = data, *end; line && *line; line = end ? end + 1 : NULL) {
        end = strchr(line, '\n');
        if (end)
            *end = '\0';
        if (strcmp(line, "slow") == 0) {
            is_slow = true;
        } else if (strncmp(line, "> ", 2) == 0) {
            add_line(program, line + 2);
        } else if (*line && program[0]) {
            add_line(expected, line);
        } else if (!*line && program[0]) {
            if (!is_slow || !SKIPS_SLOW)
                check_program(program, expected);
            count++;
            program[0] = expected[0] = '\0';
            is_slow = false;
        }
    }
    assert_int_equal(program[0], 0); /* the last paragraph ends with an empty line */
    assert_in_range(count, 400, 100000);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_give_what_the_servers_give),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
