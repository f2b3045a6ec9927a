/* CRC-64/REDIS ("Jones"): polynomial 0xad93d23594c935a9, bits reflected, begins with 0, nothing at its end. It
 * stands behind RDB files and behind what DUMP gives. */
#ifndef TERN_BASE_CRC64_H
#define TERN_BASE_CRC64_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from 'crc', which is 0 at the beginning: a text may come in pieces. */
uint64_t crc64(uint64_t crc, const void *data, size_t size);

#endif
