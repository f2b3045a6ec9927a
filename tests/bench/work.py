"""What the benchmark does to a server: the commands of the load, the data before them, the rows of memory."""
from collections import namedtuple

KEY = "key:__rand_int__"  # redis-benchmark puts twelve digits there
ELEMENT = "element:__rand_int__"

# reply: what the ceiling answers. data: what is there before. consumes: filled again in every round.
# weight: this many times fewer requests than a simple command.
Load = namedtuple("Load", "name command reply data consumes weight")
# fill: the commands that bring 'count' of it, None for connections. grows: worth trying several sizes.
Memory = namedtuple("Memory", "label count fill grows")


def encode(*words):
    words = [str(word).encode() for word in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def bulk(text):
    return f"${len(text)}\\r\\n{text}\\r\\n"


def array(*replies):
    return f"*{len(replies)}\\r\\n" + "".join(replies)


def load_tests(value_bytes):
    value = "x" * value_bytes
    element = bulk("element:000000000000")
    entry = array(bulk("1700000000000-0"), array(bulk("field"), bulk(value)))
    tests = {}

    def add(name, command, reply, data=None, consumes=False, weight=1):
        tests[name] = Load(name, command.split(), reply, data, consumes, weight)

    add("ping", "PING", "+PONG\\r\\n")
    add("set", f"SET {KEY} {value}", "+OK\\r\\n")
    add("get", f"GET {KEY}", bulk(value), "strings")
    add("incr", "INCR counter:__rand_int__", ":1\\r\\n")
    add("mset", "MSET" + f" {KEY} {value}" * 10, "+OK\\r\\n", weight=5)
    add("mget", "MGET" + f" {KEY}" * 10, array(*[bulk(value)] * 10), "strings", weight=5)
    add("setex", f"SETEX {KEY} 1000 {value}", "+OK\\r\\n")
    add("expire", f"EXPIRE {KEY} 1000", ":1\\r\\n", "strings")
    add("lpush", f"LPUSH list {value}", ":100000\\r\\n")
    add("rpush", f"RPUSH list {value}", ":100000\\r\\n")
    add("lpop", "LPOP list", bulk(value), "list", consumes=True)
    add("rpop", "RPOP list", bulk(value), "list", consumes=True)
    add("lrange_100", "LRANGE list 0 99", array(*[bulk(value)] * 100), "list600", weight=5)
    add("lrange_600", "LRANGE list 0 599", array(*[bulk(value)] * 600), "list600", weight=5)
    add("sadd", f"SADD set {ELEMENT}", ":0\\r\\n")
    add("sismember", f"SISMEMBER set {ELEMENT}", ":1\\r\\n", "set")
    add("spop", "SPOP set", element, "set", consumes=True)
    add("hset", f"HSET hash {ELEMENT} {value}", ":0\\r\\n")
    add("hget", f"HGET hash {ELEMENT}", bulk(value), "hash")
    add("hgetall_50", "HGETALL hash50", array(*[bulk("field:0000"), bulk(value)] * 50), "hash50", weight=5)
    add("zadd", f"ZADD zset __rand_int__ {ELEMENT}", ":0\\r\\n")
    add("zrank", f"ZRANK zset {ELEMENT}", ":50000\\r\\n", "zset")
    add("zscore", f"ZSCORE zset {ELEMENT}", bulk("50000"), "zset")
    add("zrange_10", "ZRANGE zset 5000 5009", array(*[element] * 10), "zset")
    add("zpopmin", "ZPOPMIN zset", array(element, bulk("50000")), "zset", consumes=True)
    add("xadd", f"XADD stream * field {value}", bulk("1700000000000-0"))
    add("xrange_10", "XRANGE stream - + COUNT 10", array(*[entry] * 10), "stream")
    add("publish", f"PUBLISH nobody {value}", ":0\\r\\n")
    return tests


def fill(data, keys, value_bytes, requests):
    """The commands that bring what a test wants; those that consume have enough for all requests of a round."""
    value = "x" * value_bytes
    most = max(keys, requests)

    def element(i):
        return f"element:{i:012d}"

    def hundreds(make):
        return (make(range(i, i + 100)) for i in range(0, most, 100))

    if data == "strings":
        return (encode("SET", f"key:{i:012d}", value) for i in range(keys))
    if data == "list":
        return (encode("RPUSH", "list", *[value] * 100) for _ in range(requests // 100 + 1))
    if data == "list600":
        return [encode("DEL", "list"), encode("RPUSH", "list", *[value] * 600)]
    if data == "set":
        return hundreds(lambda part: encode("SADD", "set", *map(element, part)))
    if data == "hash":
        return (encode("HSET", "hash", element(i), value) for i in range(keys))
    if data == "hash50":
        return [encode("HSET", "hash50", *sum(([f"field:{i:04d}", value] for i in range(50)), []))]
    if data == "zset":
        return hundreds(lambda part: encode("ZADD", "zset", *sum(([i, element(i)] for i in part), [])))
    if data == "stream":
        return (encode("XADD", "stream", "*", "field", value) for _ in range(1000))
    return []


def strings(value, *more):
    """SET of 16-byte keys; value is a function of the number."""
    return lambda count: (encode("SET", f"key:{i:012d}", value(i), *more) for i in range(count))


def small_hashes(count):
    fields = sum(([f"f{j}", f"value-{j}"] for j in range(10)), [])
    return (encode("HSET", f"h:{i:08d}", *fields) for i in range(count // 10))


MILLION = 1000000
MEMORY = [
    Memory("key, 3 byte value", MILLION, strings(lambda i: "xxx"), True),
    Memory("key, integer value", MILLION, strings(lambda i: i * 7919), True),
    Memory("key, 64 byte value", MILLION, strings(lambda i: "x" * 64), True),
    Memory("key, 64 byte value, TTL", MILLION, strings(lambda i: "x" * 64, "EX", 100000), True),
    Memory("field of hashes of 10", MILLION, small_hashes, False),
    Memory("field of one hash", MILLION,
           lambda n: (encode("HSET", "hash", f"field:{i:010d}", f"value-{i}") for i in range(n)), False),
    Memory("member of one set", MILLION, lambda n: (encode("SADD", "set", f"member:{i:010d}") for i in range(n)), False),
    Memory("member of one sorted set", MILLION,
           lambda n: (encode("ZADD", "zset", i * 1.5, f"member:{i:010d}") for i in range(n)), False),
    Memory("element of one list", MILLION, lambda n: (encode("RPUSH", "list", f"element:{i:08d}") for i in range(n)), False),
    Memory("entry of one stream", MILLION,
           lambda n: (encode("XADD", "stream", f"{i + 1}-1", "temp", i % 40, "hum", i % 90) for i in range(n)), False),
    Memory("idle connection", 1000, None, False),
]
