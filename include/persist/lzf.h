/* LZF (Marc Lehmann, http://oldhome.schmorp.de/marc/liblzf.html), in which RDB keeps longer strings.
 *
 *     000lllll           and l + 1 bytes as they are
 *     lllooooo oooooooo  l + 2 bytes from o + 1 bytes back, l from 1 to 6
 *     111ooooo llllllll oooooooo  the same, l + 9 bytes
 *
 * The compressor makes the choices that Redis's does, so that payloads are the same byte for byte. */
#ifndef TERN_PERSIST_LZF_H
#define TERN_PERSIST_LZF_H

#include "base/bytes.h"

/* Returns how many bytes were written to 'out', at most 'size'; 0 when they do not suffice. */
size_t lzf_compress(struct bytes text, char *out, size_t size);

/* True when 'packed' is well-formed and unpacks to exactly 'len' bytes. */
bool lzf_unpack(struct bytes packed, char *out, size_t len);

/* What so many packed bytes may unpack to at most. */
static inline uint64_t lzf_unpacked_max(uint64_t packed) { return packed * 88; }

#endif
