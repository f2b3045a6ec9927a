/* HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007) in the format of Redis's strings: how many
 * different elements were added, with a standard error of 0.81%, in at most 12304 bytes.
 *
 *     offset  size
 *          0     4   "HYLL"
 *          4     1   0: dense, 1: sparse
 *          5     3   not used
 *          8     8   the count when it was computed last, little endian; the highest bit says that
 *                    registers have changed since
 *         16     .   16384 registers of 6 bits
 *
 *     dense    12288 bytes; register i is the bits 6i to 6i+5, the lowest bit of the first byte is bit 0
 *     sparse   runs of equal registers, from the first to the last
 *                  00nnnnnn            n + 1 registers are 0
 *                  01nnnnnn nnnnnnnn   n + 1 registers are 0
 *                  1vvvvvnn            n + 1 registers are v + 1
 *
 * An element's hash (MurmurHash64A) chooses the register by its lowest 14 bits. The rank is the place of
 * the lowest set bit among the others, and the register keeps the highest rank. A value starts sparse and
 * becomes dense when it gets longer than a limit, or a rank higher than 32. The estimator is that of Otmar
 * Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017.
 *
 * A value may come from anywhere: what is no run of 16384 registers is reported as corrupt. */
#ifndef TERN_DS_HYPERLOGLOG_H
#define TERN_DS_HYPERLOGLOG_H

#include "base/bytes.h"

#define HLL_REGISTERS   16384
#define HLL_HEADER_SIZE 16
#define HLL_DENSE_SIZE  (HLL_HEADER_SIZE + HLL_REGISTERS * 6 / 8)

struct text;

/* Its header is one, and the length that of a dense one when it is dense. */
bool hyperloglog_is_valid(struct bytes value);

static inline bool hyperloglog_is_dense(struct bytes value) { return value.data[4] == 0; }

struct hyperloglog_element {
    uint16_t index; /* of the register */
    uint8_t rank;   /* 1 to 51 */
};
struct hyperloglog_element hyperloglog_element(struct bytes element);

/* --- changing a value: valid ones only ----------------------------------------------------------- */

/* A view of a value that becomes a copy with the first change. */
struct hyperloglog {
    unsigned char *data;
    size_t len;
    size_t size; /* of the copy; 0: still the view */
};
void hyperloglog_open(struct hyperloglog *hll, struct bytes value);
/* An empty one. */
void hyperloglog_init(struct hyperloglog *hll);
void hyperloglog_release(struct hyperloglog *hll);

static inline bool hyperloglog_is_changed(const struct hyperloglog *hll) { return hll->size != 0; }

static inline struct bytes hyperloglog_value(const struct hyperloglog *hll)
{
    return (struct bytes){(const char *)hll->data, hll->len};
}

enum hyperloglog_result { HLL_SAME, HLL_CHANGED, HLL_CORRUPT };
/* A sparse one gets no longer than 'sparse_max' bytes by that. */
enum hyperloglog_result hyperloglog_add(struct hyperloglog *hll, struct hyperloglog_element element,
                                        size_t sparse_max);
/* All registers at once, none of which is lower than the value's. The same bytes as from adding one after the
 * other. */
enum hyperloglog_result hyperloglog_raise(struct hyperloglog *hll, const uint8_t registers[HLL_REGISTERS],
                                          size_t sparse_max);
enum hyperloglog_result hyperloglog_to_dense(struct hyperloglog *hll);
void hyperloglog_forget_count(struct hyperloglog *hll);

/* The same in place, in a dense value of somebody else's, whose count is then out of date. True when it
 * changed. */
bool hyperloglog_dense_add(char *value, struct hyperloglog_element element);
unsigned hyperloglog_dense_register(const char *value, unsigned index);

/* --- counting ------------------------------------------------------------------------------------ */

/* The count that stands in the header; false when it is out of date. */
bool hyperloglog_known_count(struct bytes value, uint64_t *count);
void hyperloglog_set_known_count(char *value, uint64_t count);
/* False: corrupt. */
bool hyperloglog_count(struct bytes value, uint64_t *count);

/* Registers, each a byte, become the higher of what they are and what they are in the value. False: corrupt,
 * and some of them may be changed. */
bool hyperloglog_merge(uint8_t registers[HLL_REGISTERS], struct bytes value);
uint64_t hyperloglog_count_registers(const uint8_t registers[HLL_REGISTERS]);

/* --- looking inside ------------------------------------------------------------------------------ */

/* The runs of a sparse value: "Z:12711 v:2,1 z:30", with Z for the long form of zeros. */
void hyperloglog_describe(struct bytes value, struct text *out);

#endif
