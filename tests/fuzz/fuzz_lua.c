/* Scripts from anywhere: any bytes are refused, or run until they end or the hook stops them. Nothing is checked but what
 * the sanitizers see.
 *
 * SOURCES: src/lua/*.c src/base/[a-z]*.c
 * SEEDS: tests/unit/lua/programs.txt
 *
 * Input: what the rest is (a digit; see enum kind), the rest. */
#include "lua/libraries.h"
#include "lua/lua.h"

#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMORY_MAX = 64 << 20, HOOK_EVERY = 64, HOOKS_MAX = 3000 };

/* For standalone_main.c. */
const size_t fuzz_head_size = 1;
const char *const fuzz_words[] = {
    " local a ", " local b = ", " function f(...) ", " function(...) ", " return ", " end ", " if ", " then ", " elseif ",
    " else ", " while ", " do ", " repeat ", " until ", " for i = ", " for k, v in ", " in ", " break ", " and ", " or ",
    " not ", " nil ", " true ", " false ", " ... ", " a ", " b ", " t ", " f ", " self ", "(", ")", "{", "}", "[", "]", ",",
    ";", ":", ".", "..", "=", "==", "~=", "<", "<=", "+", "-", "*", "/", "%", "^", "#", "0", "1", " 2^31 ", " -2^63 ", " 0/0 ",
    " 1e308 ", " 100 ", "''", "'abc'", "[[x]]", "'%d'", "'%5.3s'", "\n", " f(a) ", " f() ", " t = {} ", " setmetatable(t, ",
    " __index = ", " __newindex = ", " __call = ", " __eq = ", " __lt = ", " __concat = ", " __tostring = ", " __mode = 'k' ",
    " __len = ", " __unm = ", " pcall(", " xpcall(", " error(", " coroutine.wrap(", " coroutine.create(",
    " coroutine.resume(", " coroutine.yield(", " table.sort(t, ", " table.insert(t, ", " table.remove(t, ",
    " table.concat(t, ", " unpack(t, ", " select(", " next(t, ", " pairs(t) ", " ipairs(t) ", " string.rep('a', ",
    " string.format(", " string.find('aaa', ", " string.gsub('aaa', ", " string.gmatch('aaa', ", " string.byte('abc', ",
    " string.char(", " string.sub('abc', ", " tostring(", " tonumber(", " loadstring(", " load(", " collectgarbage() ",
    " cjson.encode(", " cjson.decode(", " cmsgpack.pack(", " cmsgpack.unpack(", " struct.pack(", " struct.unpack(",
    " bit.tohex(", " math.random(", " getmetatable('')", " rawset(t, ", NULL};

/* What is done with the rest of the input. */
enum kind { RUN, CJSON, CMSGPACK, STRUCT, PATTERN, FORMAT, STRUCT_PACK, KINDS };

/* Each gets the rest, and its two halves: the first one up to a zero byte. */
static const char *const programs[KINDS] = {
    [CJSON] = "local all = ... local ok, v = pcall(cjson.decode, all) if ok then cjson.encode(v) cmsgpack.pack(v) end",
    [CMSGPACK] = "local all = ... local v = {pcall(cmsgpack.unpack, all)} pcall(cmsgpack.unpack_limit, all, 1, 0) "
                 "pcall(cmsgpack.unpack_one, all, 1) if v[1] then cmsgpack.pack(unpack(v)) pcall(cjson.encode, v[2]) end",
    [STRUCT] = "local _, a, b = ... struct.unpack(a, b, 1)",
    [PATTERN] = "local _, a, b = ... pcall(string.find, a, b) pcall(string.match, a, b, 2) for x in a:gmatch(b) do end "
                "pcall(string.gsub, a, b, '%0%1') a:gsub(b, function(x, y) return y end) a:gsub(b, {a = 1})",
    [FORMAT] = "local _, a, b = ... string.format(a, 1, -2.5, b, '3', 1e300, b, 0/0, 5)",
    [STRUCT_PACK] = "local _, a, b = ... pcall(struct.size, a) struct.pack(a, 1, b, -3, b, 1e300, 0/0, b)",
};

static bool hook(struct lua *lua, void *context)
{
    int *left = context;

    return (--*left > 0 && lua_memory(lua) < MEMORY_MAX) || lua_raise_text(lua, "stopped");
}

static struct lua *open(uint64_t *random)
{
    struct lua *lua = lua_new();

    lua_open_base(lua);
    lua_open_string(lua);
    lua_open_table(lua);
    lua_open_math(lua);
    lua_open_random(lua, random);
    lua_open_os(lua);
    lua_open_bit(lua);
    lua_open_struct(lua);
    lua_open_cjson(lua);
    lua_open_cmsgpack(lua);
    return lua;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum kind kind = size ? data[0] % 16 : RUN;
    struct bytes all = {(const char *)data + !!size, size - !!size};
    uint64_t random = LUA_RANDOM_START;
    int left = HOOKS_MAX;
    struct lua *lua = open(&random);
    struct lua_value function, args[3];
    struct bytes source = kind && kind < KINDS ? bytes_from_string(programs[kind]) : all;
    const char *zero = all.len ? memchr(all.data, 0, all.len) : NULL;
    size_t first = zero ? (size_t)(zero - all.data) : all.len;

    args[0] = lua_string(lua, all);
    args[1] = lua_string(lua, (struct bytes){all.data, first});
    args[2] = zero ? lua_string(lua, (struct bytes){zero + 1, all.len - first - 1}) : lua_text(lua, "aab(b)");
    lua_set_hook(lua, hook, &left, HOOK_EVERY);
    if (lua_load(lua, source, BYTES("@user_script"), lua_globals(lua), &function)) {
        lua_call(lua, function, args, 3);
        lua_collect(lua);
    }
    lua_free(lua);
    return 0;
}
