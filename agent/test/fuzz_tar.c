// Feeds the tar header parsers: a block, and the rest as a pax header and as a long name.
#include <stdlib.h>
#include <string.h>

#include "tar_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A random checksum hardly ever fits, so it is made to.
static void fix_checksum(uint8_t *block) {
    unsigned sum = 0;
    memset(block + 148, ' ', 8);
    for (int i = 0; i < TAR_BLOCK; i++) sum += block[i];
    for (int i = 5; i >= 0; i--, sum >>= 3) block[148 + i] = (uint8_t)('0' + (sum & 7));
}

static void check_round_trip(const struct tar_entry *entry) {
    static uint8_t bytes[TAR_HEADERS_MAX];
    static struct tar_entry again;
    static struct tar_override override;
    memset(&override, 0, sizeof override);
    size_t size = tar_encode(bytes, entry);
    if (size > sizeof bytes || size % TAR_BLOCK || !tar_parse(bytes, &again)) abort();
    if (again.type == 'x' && size > TAR_BLOCK) {
        if (tar_parse_pax(bytes + TAR_BLOCK, again.size, &override)) abort();
        if (!tar_parse(bytes + size - TAR_BLOCK, &again)) abort();
        tar_apply(&again, &override);
    }
    if (entry->type != 'x' && strcmp(again.path, entry->path) != 0) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct tar_entry entry;
    static struct tar_override override;
    uint8_t block[TAR_BLOCK] = {0};
    memcpy(block, data, size < TAR_BLOCK ? size : TAR_BLOCK);
    fix_checksum(block);
    memset(&override, 0, sizeof override);
    bool parsed = tar_parse(block, &entry);
    size_t rest = size > TAR_BLOCK ? size - TAR_BLOCK : 0;
    uint8_t *copy = malloc(rest ? rest : 1);
    if (rest) memcpy(copy, data + TAR_BLOCK, rest);
    bool fine = tar_parse_pax(copy, rest, &override) == NULL;
    if (fine && parsed) tar_apply(&entry, &override);
    if (parsed) check_round_trip(&entry);
    memset(&override, 0, sizeof override);
    tar_parse_long(copy, rest, 'L', &override);
    tar_parse_long(copy, rest, 'K', &override);
    free(copy);
    return 0;
}
