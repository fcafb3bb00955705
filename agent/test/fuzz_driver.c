// Where there is no libFuzzer: deterministic mutations of the seed files, for as long as asked. Understands
// -max_total_time=SECONDS and ignores the other options of libFuzzer.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SEEDS_MAX = 256, SIZE_LIMIT = 70000 };

static struct {
    uint8_t *bytes;
    size_t size;
} seeds[SEEDS_MAX];
static size_t seed_count;
static uint64_t state = 0x9E3779B97F4A7C15ULL;

static uint32_t next_random(uint32_t below) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return below ? (uint32_t)(state >> 32) % below : 0;
}

static void read_seeds(const char *path) {
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && seed_count < SEEDS_MAX && (entry = readdir(folder));) {
        char name[1024];
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(name, "rb");
        if (!file) continue;
        seeds[seed_count].bytes = malloc(SIZE_LIMIT);
        seeds[seed_count].size = fread(seeds[seed_count].bytes, 1, SIZE_LIMIT, file);
        seed_count++;
        fclose(file);
    }
    if (folder) closedir(folder);
}

static void mutate(uint8_t *bytes, size_t *size) {
    static const uint8_t odd[] = {0, 1, 0x7f, 0x80, 0xff, 0xba, 0x6e, '/', '.', '\n', '='};
    size_t at = next_random((uint32_t)*size);
    switch (next_random(6)) {
    case 0: bytes[at] ^= (uint8_t)(1u << next_random(8)); break;
    case 1: bytes[at] = odd[next_random(sizeof odd)]; break;
    case 2: *size = at ? at : 1; break;
    case 3: memset(bytes + at, 0, next_random((uint32_t)(*size - at)) % 64); break;
    case 4: { // another seed's piece
        size_t other = next_random((uint32_t)seed_count);
        size_t length = next_random((uint32_t)(seeds[other].size < SIZE_LIMIT - at ? seeds[other].size : SIZE_LIMIT - at));
        memcpy(bytes + at, seeds[other].bytes, length);
        if (at + length > *size) *size = at + length;
        break;
    }
    default: bytes[at] = (uint8_t)next_random(256); break;
    }
}

int main(int argc, char **argv) {
    long seconds = 10;
    static uint8_t bytes[SIZE_LIMIT];
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "-max_total_time=", 16) == 0) seconds = strtol(argv[i] + 16, NULL, 10);
        else if (argv[i][0] != '-') read_seeds(argv[i]);
    }
    if (!seed_count) return fprintf(stderr, "fuzz: no seeds\n"), 2;
    time_t end = time(NULL) + seconds;
    unsigned long runs = 0;
    for (; time(NULL) < end; runs++) {
        size_t seed = next_random((uint32_t)seed_count);
        size_t size = seeds[seed].size;
        memcpy(bytes, seeds[seed].bytes, size);
        for (uint32_t count = next_random(8); size && count-- > 0;) mutate(bytes, &size);
        LLVMFuzzerTestOneInput(bytes, size);
    }
    printf("fuzz: %lu runs from %zu seeds, nothing found\n", runs, seed_count);
    return 0;
}
