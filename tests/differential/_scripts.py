"""Scripts of the differential test: small random ones that call commands, shape values and fail."""

CALLS = {  # by the type of the key: commands with KEYS[1], arguments are values in Lua
    's': ['"get"', '"set", V', '"set", V, "get"', '"append", V', '"incr"', '"incrby", N', '"strlen"', '"getrange", N, N',
          '"setrange", I, V', '"getdel"', '"setbit", I, 1', '"bitcount"', '"incrbyfloat", N'],
    'l': ['"rpush", V, V', '"lpush", V', '"lrange", N, N', '"llen"', '"lpop"', '"rpop", I', '"lindex", N', '"lpos", V', '"lset", N, V',
          '"linsert", "before", V, V', '"ltrim", -6, -1'],
    'h': ['"hset", V, V', '"hget", V', '"hlen"', '"hdel", V', '"hincrby", "n", N', '"hmget", V, V', '"hexists", V'],
    't': ['"sadd", V, V', '"srem", V', '"scard"', '"sismember", V', '"smismember", V, V'],
    'z': ['"zadd", N, V', '"zscore", V', '"zrank", V', '"zcard"', '"zrange", 0, N, "withscores"', '"zincrby", N, V', '"zpopmin"',
          '"zmscore", V, V', '"zrange", 0, -1'],
    'any': ['"exists"', '"type"', '"del"', '"ttl"', '"persist"', '"expire", 100000', '"nope"', '"get", V', '"multi"', '"set"', '"object"'],
}

SHAPES = [
    'return R', 'return R', 'return R', 'return {R, P, N}', 'return {P, type(P)}', 'return #tostring(type(R))', 'R return P',
    'local r = P if type(r) == "table" and r.err then return r.err end return r', 'redis.setresp(3) return R', 'redis.setresp(3) return {P}',
    'local ok, e = pcall(redis.call, X) return {tostring(ok), type(e), e}', 'if redis.call("exists", KEYS[1]) == 1 then return P end return V',
    'for i = 1, 3 do P end return R', 'return cjson.encode({V, N, P})', 'return redis.error_reply(V)', 'return redis.status_reply(V)',
    'return {ok = V}', 'return {err = V}', 'return {double = N}', 'return {map = {[V] = N}}', 'return {set = {[V] = true}}', 'error(V)',
    'error({err = V})', 'return ARGV[1] .. V', 'return {KEYS[1], ARGV[1], #KEYS, #ARGV}', 'return tonumber(ARGV[1]) or V', 'return redis.sha1hex(V)',
    'local t = {} for w in (V .. " b c"):gmatch("%a+") do t[#t + 1] = w:upper() end return t', 'return nosuch', 'return V ..', 'nosuch = 1',
    '#!lua flags=no-writes\nreturn R', '#!lua\nreturn R', 'local s = 0 for i = 1, 20 do s = s + i * N end return s',
    'redis.call("select", 1) local r = P redis.call("select", 0) return {P}', 'return string.format("%s %5.2f %d", V, N, I)',
    'table.sort(ARGV) return ARGV', 'return {1, {2, {P}}, nil, 3}', 'return {1, 2, true, false, P}']

TEXTS = ['"a"', '"b"', '"x y"', '""', '"ERR z"', '"-MY w"', 'ARGV[1]', '"12"', 'KEYS[1]', '"1.5"']
NUMBERS = ['0', '1', '-1', '2', '7', '-3', '1.5', '-2.25', '100', '2^31', '0.125']


def fill(rng, text, call):
    out = []
    for i, c in enumerate(text):
        alone = not (text[i - 1:i].isalnum() or text[i + 1:i + 2].isalnum() or text[i - 1:i] in ('"', '_', '.') and text[i + 1:i + 2] in ('"', '_'))
        if not alone or c not in 'RPXVNI':
            out.append(c)
        elif c == 'V':
            out.append(rng.choice(TEXTS))
        elif c == 'N':
            out.append(rng.choice(NUMBERS))
        elif c == 'I':
            out.append(str(rng.randint(0, 6)))
        else:
            out.append({'R': 'redis.call(%s)', 'P': 'redis.pcall(%s)', 'X': '%s'}[c] % call())
    return ''.join(out)


def script_for(kind):
    def make(rng):
        def call():
            words = rng.choice(CALLS[kind] if rng.random() < 0.9 else CALLS['any'])
            name, _, rest = words.partition(', ')
            return fill(rng, name + ', KEYS[1]' + (', ' + rest if rest else ''), call)
        return fill(rng, rng.choice(SHAPES), call).encode()
    return make


HEADERS = ['#!lua name=l%d'] * 20 + ['#!lua', '#!lua name=', '#!lua name=l-%d', '#!js name=l%d', '#!lua name=l%d flags=x', '#!lua name="l%d', '']
BODIES = ['return 1', ')', 'foo = 1', 'return redis.call("ping")', "redis.register_function('f-', function() end)"]


def library(rng):
    """The code of a library with one function, mostly a good one: small names, so that they meet."""
    header = rng.choice(HEADERS)
    header = header % rng.randrange(6) if '%d' in header else header
    name = f'{rng.choice("fffF")}{rng.randrange(6)}'
    result = rng.choice(['KEYS', 'ARGV', '{KEYS, ARGV}', '#ARGV', 'redis.call("exists", KEYS[1])', 'redis.call(unpack(ARGV))', 'nosuch', '{err = "ERR x"}', 'nil', '1, 2'])
    flags = rng.choice(['', ", flags={'no-writes'}", ", flags={'allow-oom', 'allow-stale'}", ", description='d'", ", flags={'nosuch'}"])
    body = (f"redis.register_function{{function_name='{name}', callback=function(KEYS, ARGV) return {result} end{flags}}}"
            if rng.random() < 0.9 else rng.choice(BODIES))
    return f'{header}\n{body}'.encode()
