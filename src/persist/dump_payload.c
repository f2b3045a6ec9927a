/* The footer of payloads. */
#include "persist/dump_payload.h"

#include "base/crc64.h"
#include "byte_order_internal.h"
#include "persist/rdb_writer.h"

#define VALKEY_VERSION 80 /* Valkey's own numbers begin here; what lies between is nobody's that we know */

bool rdb_version_is_readable(unsigned version)
{
    return (version >= 1 && version <= 12) || version == VALKEY_VERSION;
}

bool rdb_version_is_valkey(unsigned version) { return version >= VALKEY_VERSION; }

void dump_footer_write(struct rdb_writer *writer)
{
    char footer[DUMP_FOOTER_SIZE];

    store_le(footer, RDB_VERSION, 2);
    store_le(footer + 2, crc64(crc64(0, writer->data, writer->len), footer, 2), 8);
    rdb_write(writer, footer, sizeof footer);
}

bool dump_footer_open(struct bytes payload, struct bytes *content, unsigned *version)
{
    const char *footer;
    unsigned told;
    size_t len;

    if (payload.len < DUMP_FOOTER_SIZE)
        return false;
    len = payload.len - DUMP_FOOTER_SIZE;
    footer = payload.data + len;
    told = (unsigned)load_le(footer, 2);
    if (!rdb_version_is_readable(told) || load_le(footer + 2, 8) != crc64(0, payload.data, len + 2))
        return false;
    *content = (struct bytes){payload.data, len};
    *version = told;
    return true;
}

bool dump_footer_check(struct bytes payload, struct bytes *content)
{
    unsigned version;

    return dump_footer_open(payload, content, &version);
}
