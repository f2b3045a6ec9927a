/* What stands behind the content of a payload of DUMP and of FUNCTION DUMP:
 *
 *     content | version of the RDB format u16 LE | crc64 u64 LE of all before
 *
 * The content ends where the footer begins. */
#ifndef TERN_PERSIST_DUMP_PAYLOAD_H
#define TERN_PERSIST_DUMP_PAYLOAD_H

#include "base/bytes.h"

struct rdb_writer;

#define RDB_VERSION 11 /* what we write: that of Redis 7.2 */

#define DUMP_FOOTER_SIZE 10

/* Whether a file or payload of that version may hold what we can read: 1 to 12 are Redis's up to 8, 80 is
 * Valkey's. Of a type that we do not know the reader tells when it meets it. */
bool rdb_version_is_readable(unsigned version);
bool rdb_version_is_valkey(unsigned version);

/* Behind the content, which is all that 'writer' has written, without a 'flush'. */
void dump_footer_write(struct rdb_writer *writer);

/* True when the footer is whole, its version readable and its checksum right; '*content' is then what stands
 * before it. Redis's answer to false is ERR_DUMP_PAYLOAD. */
bool dump_footer_check(struct bytes payload, struct bytes *content);
/* The same, for whom the version matters. */
bool dump_footer_open(struct bytes payload, struct bytes *content, unsigned *version);

#define ERR_DUMP_PAYLOAD "ERR DUMP payload version or checksum are wrong"

#endif
