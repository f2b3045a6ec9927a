/* lua_run FILE...: runs Lua programs with the server's interpreter and its libraries, each with a state of its own, and
 * prints what they return, or "error: " and the message. "-" reads the standard input. The time goes to stderr with
 * LUA_RUN_TIME in the environment. For comparing speed, for looking at one program, and for tests/tools/lua_programs. */
#include "lua/libraries.h"
#include "lua/lua.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct bytes read_all(FILE *file)
{
    size_t size = 65536, len = 0, got;
    char *data = malloc(size);

    while ((got = fread(data + len, 1, size - len, file)) > 0) {
        len += got;
        if (len == size)
            data = realloc(data, size *= 2);
    }
    return (struct bytes){data, len};
}

static void show(struct lua *lua, const char *before, struct lua_value value)
{
    struct lua_value text;

    if (!lua_to_text(lua, value, &text) || !lua_is(text, LUA_STRING))
        text = lua_text(lua, "?");
    struct bytes bytes = lua_string_bytes(text);
    printf("%s%.*s\n", before, (int)bytes.len, bytes.data);
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool run(const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    struct lua_value function;
    struct lua *lua;
    uint64_t random = 0;
    int count = -1;

    if (!file) {
        perror(path);
        return false;
    }
    struct bytes source = read_all(file);
    lua = lua_new();
    lua_open_base(lua);
    lua_open_string(lua);
    lua_open_table(lua);
    lua_open_math(lua);
    lua_open_random(lua, &random);
    lua_open_os(lua);
    lua_open_bit(lua);
    double begun = seconds();
    if (lua_load(lua, source, BYTES("@user_script"), lua_globals(lua), &function))
        count = lua_call(lua, function, NULL, 0);
    if (getenv("LUA_RUN_TIME"))
        fprintf(stderr, "%.3f s  %s\n", seconds() - begun, path);
    if (count < 0)
        show(lua, "error: ", lua_error_value(lua));
    for (int i = 0; i < count; i++)
        show(lua, "", lua_result(lua, i));
    lua_free(lua);
    free((void *)source.data);
    if (file != stdin)
        fclose(file);
    return count >= 0;
}

int main(int argc, char **argv)
{
    bool is_fine = true;

    for (int i = 1; i < argc; i++)
        is_fine = run(argv[i]) && is_fine;
    return is_fine ? 0 : 1;
}
