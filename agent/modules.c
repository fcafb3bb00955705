#include "modules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cmdline.h"
#include "log.h"
#include "procfs.h"

// scripts/sign-file.c: at the end of a module stand its signature, what tells of it, and these words.
enum { SIGNATURE_INFO_BYTES = 12, SIGNATURE_SIZE_AT = 8 };
static const char signed_mark[] = "~Module signature appended~\n";

size_t module_unsigned_size(const uint8_t *module, size_t size) {
    size_t mark = sizeof signed_mark - 1;
    if (size < mark + SIGNATURE_INFO_BYTES || memcmp(module + size - mark, signed_mark, mark) != 0) return size;
    size_t info = size - mark - SIGNATURE_INFO_BYTES;
    const uint8_t *at = module + info + SIGNATURE_SIZE_AT;
    size_t signature = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
    return signature <= info ? info - signature : size;
}

// False also where the kernel insists on signatures.
static bool load_unsigned(int fd) {
    struct stat info;
    if (fstat(fd, &info) < 0 || info.st_size <= 0) return false;
    size_t size = (size_t)info.st_size;
    uint8_t *module = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (module == MAP_FAILED) return false;
    bool loaded = syscall(SYS_init_module, module, module_unsigned_size(module, size), "") == 0;
    munmap(module, size);
    return loaded;
}

static void load(const char *name, bool checked) {
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    bool loaded = fd >= 0 && ((checked && load_unsigned(fd)) || syscall(SYS_finit_module, fd, "", 0) == 0);
    if (!loaded && (fd < 0 || errno != EEXIST)) log_line("cannot load module %s: %s", name, strerror(errno));
    if (fd >= 0) close(fd);
}

void modules_load(const char *cmdline) {
    char value[CMDLINE_VALUE_MAX];
    bool checked = cmdline_get(cmdline, "banger.modules_checked", value, sizeof value);
    struct lines list;
    if (!lines_open(&list, "/modules.list")) return; // a kernel with everything built in
    if (chdir("/modules") < 0) log_line("cannot enter /modules: %s", strerror(errno));
    for (char *name; (name = lines_next(&list));) {
        if (*name && *name != '#') load(name, checked);
    }
}
