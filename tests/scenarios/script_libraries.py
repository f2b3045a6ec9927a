#!/usr/bin/env python3
"""Random scripts with the libraries of Lua, on our server and on a real one: the same answers, byte for byte."""

from _harness import *

SCRIPTS = 6000
SEED = int(os.environ.get('SEED') or 1)

# Shows what a script returns: strings as %q does, an error as E and its text.
FRAME = '''local function show(...) local t = {} for i = 1, select('#', ...) do local v = select(i, ...)
if type(v) == 'string' then t[i] = string.format('%%q', v) else t[i] = tostring(v) end end return table.concat(t, ' ') end
local function dump(v) if type(v) ~= 'table' then return type(v) .. ':' .. tostring(v) end local s = '{'
for k, x in pairs(v) do
s = s .. (type(k) == 'table' and 'table' or tostring(k)) .. '=' .. dump(x) .. ',' end return s .. '}' end
local function f()
%s
end
local function g(ok, ...) if not ok then return 'E ' .. tostring((...)) end return show(...) end
return g(pcall(f))'''


class Scripts:
    """Makes one script after the other."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.kinds = ([self.pattern] * 6 + [self.format] * 3 + [self.encode] * 3 + [self.decode] * 4
                      + [self.struct_pack, self.struct_unpack, self.struct_size, self.bit, self.math, self.sort, self.slice]
                      + [self.pack, self.unpack, self.round_trip] * 2)

    def next(self):
        return self.random.choice(self.kinds)()

    def choice(self, *items):
        return self.random.choice(items)

    def bytes_of(self, alphabet, most):
        return bytes(self.random.choice(alphabet) for _ in range(self.random.randint(0, most)))

    @staticmethod
    def quoted(text):
        return '"' + ''.join(chr(c) if 32 <= c < 127 and c not in b'"\\' else '\\%03d' % c for c in text) + '"'

    def string(self, alphabet, most):
        return self.quoted(self.bytes_of(alphabet, most))

    def number(self):
        kind = self.random.randrange(4)
        if kind == 0:
            return str(self.random.randint(-10, 300))
        if kind == 1:
            return str(self.random.uniform(-1e3, 1e3))
        if kind == 2:
            return repr(self.random.uniform(-1, 1) * 10 ** self.random.randint(-20, 25))
        return self.choice('1/0', '-1/0', '0/0', '2^31', '2^32', '2^53', '2^63', '-2^63', '2^64', '-2^31-1', '1e300', '0', '-0',
                           '1e15', '123456789012345')

    def value(self, depth=0):
        kind = self.random.random()
        if kind < 0.25:
            return self.number()
        if kind < 0.5:
            return self.string(b'abc/"\\\x01\x7f\xc3\xa9\t', 8)
        if kind < 0.6 or depth > 3:
            return self.choice('true', 'false', 'cjson.null', 'nil')
        if kind < 0.8:
            return '{' + ','.join(self.value(depth + 1) for _ in range(self.random.randint(0, 4))) + '}'
        return '{' + ','.join('[%s]=%s' % (self.key(), self.value(depth + 1)) for _ in range(self.random.randint(0, 8))) + '}'

    def key(self):
        return self.choice(self.string(b'abcdefgh', 3), '"key%d"' % self.random.randint(0, 30), str(self.random.randint(1, 12)),
                           str(self.random.randint(1, 4)), '1.5', '-1')

    # --- string ---

    def pattern_text(self):
        text = b''
        for _ in range(self.random.randint(1, 6)):
            kind = self.random.random()
            if kind < 0.3:
                text += bytes([self.random.choice(b'abc.xA1 ')])
            elif kind < 0.5:
                text += b'%' + bytes([self.random.choice(b'acdlpsuwxzACDLPSUWXZ%.[]()bf12')])
            elif kind < 0.7:
                members = [self.choice(b'a', b'b-d', b'%w', b'%d', b']', b'-', b'1-9', b'^', b'%]') for _ in range(3)]
                text += b'[' + self.choice(b'', b'', b'^') + b''.join(members[:self.random.randint(1, 3)]) + b']'
            elif kind < 0.8:
                text += b'(' + self.choice(b'a', b'b', b'.') + self.choice(b'*)', b')', b'+)', b'-)', b'')
            elif kind < 0.9:
                text += self.choice(b'()', b'%b()', b'%f[%w]', b'%1', b'%bxa', b'^', b'$', b')', b'(', b'[')
            else:
                text += b'.'
            text += self.choice(b'', b'', b'*', b'+', b'-', b'?')
        return self.choice(b'', b'', b'', b'^') + text + self.choice(b'', b'', b'', b'$')

    def pattern(self):
        text = self.string(b'aabbccdx1 (A.)\0-]^', 14)
        pattern = self.quoted(self.pattern_text())
        kind = self.random.randrange(4)
        if kind == 0:
            return 'return string.find(%s, %s, %s, %s)' % (text, pattern, self.choice('1', '1', '2', '-2', '5'),
                                                           self.choice('false', 'false', 'true'))
        if kind == 1:
            return 'return string.match(%s, %s, %s)' % (text, pattern, self.choice('1', '2', '-1'))
        if kind == 2:
            return ("local s = '' for a, b in string.gmatch(%s, %s) do s = s .. tostring(a) .. '|' .. tostring(b) .. ';' end "
                    'return s') % (text, pattern)
        by = self.choice(self.string(b'%ab012 ', 5), "{a = 'X', b = 1, c = false}", 'function(a, b) return b or a end',
                         'function(a) return nil end')
        return 'return string.gsub(%s, %s, %s%s)' % (text, pattern, by, self.choice('', ', 1', ', 2'))

    def format(self):
        text, args = '', []
        for _ in range(self.random.randint(1, 3)):
            letter = self.random.choice('ddiouxXcceEfgGsqqs%y')
            flags = ''.join(self.random.choice('-+ #0') for _ in range(self.choice(0, 0, 0, 1, 2)))
            text += (self.choice('', 'a', ' ', '%%') + '%' + flags + self.choice('', '', '5', '12', '100')
                     + self.choice('', '', '.', '.3', '.15') + letter)
            args.append(self.string(b'ab\0\n"\\\r\xff', 6) if letter in 'sq' else self.number())
        return 'return string.format(%s)' % ', '.join([self.quoted(text.encode())] + args)

    def slice(self):
        return 'return string.%s(%s, %s, %s)' % (self.choice('sub', 'byte'), self.string(b'abcdef', 8), self.number(), self.number())

    # --- cjson ---

    def json(self, depth=0):
        kind = self.random.random()
        if kind < 0.2:
            return self.choice('1', '-1', '0', '1.5', '1e5', '-0', '1E-3', '01', '0x1f', '1.', 'nan', '-inf', 'Infinity', '1e400', '+1',
                               '-', '.5', '12345678901234567890')
        if kind < 0.45:
            return '"%s"' % ''.join(self.choice('a', '\\n', '\\"', '\\/', '\\u00e9', '\\ud83d\\ude00', '\\ud83d', '\\x', '\\u12')
                                    if self.random.random() < 0.3 else 'k%d' % self.random.randint(0, 99)
                                    for _ in range(self.random.randint(0, 4)))
        if kind < 0.6 or depth > 4:
            return self.choice('true', 'false', 'null', 'null', 'true', 'null', 'tru', 'x')
        blank, comma = self.choice('', '', ' ', '\n'), self.choice(',', ',', ', ', ' ,')
        if kind < 0.8:
            return '[' + blank + comma.join(self.json(depth + 1) for _ in range(self.random.randint(0, 5))) + self.end(']')
        return '{' + blank + comma.join(
            '"k%d"%s%s' % (self.random.randint(0, 40), self.choice(*[':'] * 15, ''), self.json(depth + 1))
            for _ in range(self.random.randint(0, 10))) + self.end('}')

    def end(self, mark):
        return self.choice(*[mark] * 15, '', ',', ']', '}')

    def encode(self):
        return 'return cjson.encode(%s)' % self.value()

    def decode(self):
        text = bytearray(self.json().encode())
        if text and self.random.random() < 0.3:
            text[self.random.randrange(len(text))] = self.random.randrange(256)
        return 'return dump(cjson.decode(%s))' % self.quoted(bytes(text))

    # --- struct, cmsgpack and the others ---

    def structure(self):
        return ''.join(self.choice('b', 'B', 'h', 'H', 'l', 'L', 'T', 'f', 'd', 's', 'x', 'c%d' % self.random.randint(0, 5), 'c', 'i', 'I',
                                   'i%d' % self.random.randint(0, 17), 'I%d' % self.random.randint(1, 9), '>', '<', '!', '!4', '!2', ' ',
                                   'bc0', '!8', 'y', 'b') for _ in range(self.random.randint(1, 6)))

    def struct_pack(self):
        structure = self.structure()
        args = [self.number() if c in 'bBhHlLTfdiI' else self.string(b'abcdef\0', 8) for c in structure if c in 'bBhHlLTfdiIsc']
        return 'return struct.pack(%s)' % ', '.join(['"%s"' % structure] + args)

    def struct_unpack(self):
        return 'return struct.unpack("%s", %s%s)' % (self.structure(), self.string(range(256), 40), self.choice('', ', 2', ', 5'))

    def struct_size(self):
        return 'return struct.size("%s")' % self.structure()

    def pack(self):
        return 'return cmsgpack.pack(%s, %s)' % (self.value(), self.value())

    def unpack(self):
        often = bytes.fromhex('91 92 81 82 01 02 a1 41 c0 c3 cc cd d0 dc 00 de d9 93')
        return ("local t = {cmsgpack.%s(%s)} local s = '' for i = 1, table.maxn(t) do s = s .. dump(t[i]) .. ' ' end return s"
                % (self.choice('unpack', 'unpack', 'unpack_one'), self.string(self.choice(often, often, bytes(range(256))), 40)))

    def round_trip(self):
        return 'return dump((cmsgpack.unpack(cmsgpack.pack(%s))))' % self.value()

    def bit(self):
        name = self.random.choice('band bor bxor lshift rshift arshift rol ror tohex tobit bnot bswap'.split())
        return 'return bit.%s(%s, %s)' % (name, self.number(), self.number())

    def math(self):
        name = self.random.choice('abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp ldexp log log10 max min mod modf pow '
                                  'rad sin sinh sqrt tan tanh random'.split())
        return 'return math.%s(%s, %s)' % (name, self.number(), self.number())

    def sort(self):
        order = self.choice('', ', function(a, b) s = s .. a .. ":" .. b .. " " return a < b end', ', function(a, b) return a > b end',
                            ', function(a, b) return a <= b end')
        values = ','.join(str(self.random.randint(0, 20)) for _ in range(self.random.randint(0, 30)))
        return ("local s, t = '', {%s} local ok, e = pcall(table.sort, t%s) "
                "for i = 1, #t do s = s .. tostring(t[i]) .. ' ' end return s, ok, e") % (values, order)


def compare(ours, real):
    scripts = Scripts(SEED)
    for count in range(scaled(SCRIPTS, 1500)):
        source = scripts.next()
        script = (FRAME % source).encode('latin-1')
        answers = [client('EVAL', script, '0') for client in (ours, real)]
        if answers[0] != answers[1]:
            raise AssertionError(f'script {count} of seed {SEED}: {source}\n  ours {answers[0]!r}\n  real {answers[1]!r}')
        if count % 1000 == 999:
            ours('SCRIPT', 'FLUSH')
            real('SCRIPT', 'FLUSH')


@test()
def the_libraries_answer_as_those_of_a_real_server(server):
    with real_client(server.directory + '-real') as real:
        if b'valkey_version' in real('INFO', 'server'):
            raise Skip("Valkey's strings have another hash, and so its tables another order")
        compare(server.client(), real)


main()
